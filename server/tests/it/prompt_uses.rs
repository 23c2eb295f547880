//! What the versions of a prompt were used for, as spans' metadata name them.

use retrace_server::commands::rebuild::rebuild;
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

use crate::harness::Retrace;

fn span(id: &str, metadata: &Value, failed: bool) -> Value {
    let mut span = json!({"id": id, "span_type": "llm_call", "name": "s", "started_at": "2026-11-20T10:00:00Z",
        "input_tokens": 10, "output_tokens": 5, "cost": 0.5, "metadata": metadata});
    if failed {
        span["error"] = json!("refused");
    }
    span
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_are_counted_by_what_spans_name() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let made = client.post("/api/v1/prompts", &json!({"name": "greeting", "content": "Hi {{x}}"})).await.expect(201);
    let id = made.json()["id"].as_str().unwrap().to_owned();
    client.post(&format!("/api/v1/prompts/{id}/versions"), &json!({"content": "Hello {{x}}"})).await.expect(201);
    let by_id = |version: u64| json!({"prompt_id": id.to_uppercase(), "prompt_version": version});
    let by_name = json!({"prompt_name": "greeting", "prompt_version": 2});
    let (one, other) = (Uuid::new_v4().to_string(), Uuid::new_v4().to_string());
    let spans = [
        span("00000000000000a1", &by_id(1), false),
        span("00000000000000a2", &by_id(2), true),
        span("00000000000000a3", &by_name, false),
        // A version that never was, another prompt, and none.
        span("00000000000000a4", &by_id(3), false),
        span("00000000000000a5", &json!({"prompt_name": "parting", "prompt_version": 2}), false),
        span("00000000000000a6", &json!({"prompt_name": "greeting"}), false),
    ];
    client.post("/api/v1/traces", &json!({"id": one, "spans": spans})).await.expect(201);
    let body = json!({"id": other, "spans": [span("00000000000000a1", &by_name, false)]});
    let last = client.post("/api/v1/traces", &body).await.expect(201).position();
    let used = |version: u64, calls: u64, failed: u64| json!({"version": version, "calls": calls, "failed": failed, "tokens": calls * 15, "cost": calls as f64 / 2.0});
    let path = format!("/api/v1/prompts/{id}/uses");
    let uses = client.get_after(&path, &last).await.expect(200).json();
    assert_eq!(plain(&uses["versions"]), plain(&json!([used(2, 3, 1), used(1, 1, 0)])));
    assert_eq!(plain(&uses["total"]), plain(&json!({"calls": 4, "failed": 1, "tokens": 60, "cost": 2.0})));
    // By name too.
    assert_eq!(client.get("/api/v1/prompts/greeting/uses").await.expect(200).json(), uses);

    let gone = client.delete(&format!("/api/v1/traces/{one}")).await.expect(204).position();
    let uses = client.get_after(&path, &gone).await.expect(200).json();
    assert_eq!(plain(&uses["versions"]), plain(&json!([used(2, 1, 0)])));
    retrace.assert_exact().await;
    rebuild(&retrace.settings, "traces", Duration::from_secs(2)).await.unwrap();
    assert_eq!(client.get(&path).await.expect(200).json(), uses);
    client.get(&format!("/api/v1/prompts/{}/uses", Uuid::new_v4())).await.expect(404);
    retrace.key_of("other", "ann").await.get(&path).await.expect(404);
}

/// Numbers by their value: 1.0 is 1.
fn plain(value: &Value) -> String {
    value.to_string().replace(".0", "")
}
