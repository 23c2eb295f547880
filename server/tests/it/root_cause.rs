//! `POST /insights/root-cause`: here without a model, the local engine over what the product has recorded.

mod model;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Client, Retrace};

fn span(name: &str, kind: &str, parent: Option<&str>, second: u32, more: Value) -> Value {
    let mut span = json!({
        "id": Uuid::new_v4(), "name": name, "span_type": kind, "parent_id": parent,
        "started_at": format!("2026-03-10T10:00:{second:02}Z"), "ended_at": format!("2026-03-10T10:00:{:02}Z", second + 1),
    });
    span.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    span
}

async fn record(client: &Client, status: &str, error: Option<&str>, spans: Vec<Value>) -> String {
    let id = Uuid::new_v4().simple().to_string();
    let body = json!({"id": id, "name": "my-agent", "status": status, "error": error, "spans": spans,
        "started_at": "2026-03-10T10:00:00Z", "ended_at": "2026-03-10T10:00:30Z"});
    client.post("/api/v1/traces", &body).await.expect(201);
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deepest_first_failure_is_the_cause() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    for _ in 0..3 {
        let spans = vec![
            span("plan", "llm_call", None, 1, json!({"input_tokens": 100})),
            span("search_web", "tool_call", None, 3, json!({})),
            span("answer", "llm_call", None, 6, json!({"input_tokens": 900})),
        ];
        record(client, "completed", None, spans).await;
    }
    let limited = "Error code: 429 - {'error': {'message': 'Rate limit reached for requests', 'type': 'requests'}}";
    let agent = span("research", "action", None, 1, json!({"error": "the step failed"}));
    let parent = agent["id"].as_str().unwrap().to_owned();
    let tool = span("search_web", "tool_call", Some(&parent), 3, json!({"error": limited, "input": {"q": "rust"}}));
    let cause = tool["id"].as_str().unwrap().to_owned();
    let id = record(client, "failed", Some("research failed: the step failed"), vec![agent, tool]).await;
    retrace.settled().await;

    let answer = client.post("/api/v1/insights/root-cause", &json!({"traceId": id})).await.expect(200).json();
    assert_eq!((&answer["traceId"], answer["traceName"].as_str()), (&json!(id), Some("my-agent")));
    assert_eq!((answer["engine"].as_str(), answer["evidence"]["kind"].as_str()), (Some("local"), Some("rate_limit")));
    assert_eq!(answer["analysis"]["failed_step"], "tool_call: search_web", "{answer}");
    let bare = |id: &Value| id.as_str().unwrap().replace('-', "");
    assert_eq!(bare(&answer["evidence"]["cause_span_id"]), cause.replace('-', ""), "{answer}");
    assert_eq!(answer["evidence"]["comparison"]["successful_runs"], 3, "{answer}");
    let confidence = answer["analysis"]["confidence"].as_f64().unwrap();
    assert!((0.5..=1.0).contains(&confidence), "{answer}");
    for text in ["root_cause", "suggested_fix"] {
        assert!(answer["analysis"][text].as_str().is_some_and(|text| text.len() > 10), "{answer}");
    }
    assert!(answer["analysis"]["contributing_factors"].is_array());

    // Of others nothing is said, and only of what has failed.
    let fine = client.get("/api/v1/traces?status=completed").await.expect(200).json();
    let fine = fine["traces"][0]["id"].as_str().unwrap();
    let fault = client.post("/api/v1/insights/root-cause", &json!({"traceId": fine})).await.expect(400);
    assert!(fault.error().contains("the trace has not failed"), "{}", fault.text);
    let stranger = retrace.key_of("elsewhere", "eve").await;
    stranger.post("/api/v1/insights/root-cause", &json!({"traceId": id})).await.expect(404);
    let fault = client.post("/api/v1/insights/root-cause", &json!({"trace": id})).await.expect(400);
    assert!(fault.error().contains("traceId"), "{}", fault.text);
    let fault = client.post("/api/v1/insights/root-cause", &json!({"traceId": "none"})).await.expect(400);
    assert!(fault.error().starts_with("traceId is neither"), "{}", fault.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn root_causes_have_a_limit_of_their_own() {
    let retrace = Retrace::with(|settings| (settings.rate_ai_per_minute, settings.rate_ai_burst) = (1, 2)).await;
    let client = &retrace.client;
    let body = json!({"traceId": Uuid::new_v4()});
    for _ in 0..2 {
        client.post("/api/v1/insights/root-cause", &body).await.expect(404);
    }
    let refused = client.post("/api/v1/insights/root-cause", &body).await.expect(429);
    assert!(refused.headers.contains_key("retry-after"));
    client.get("/api/v1/traces").await.expect(200);
}
