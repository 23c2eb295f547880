//! `GET /insights/failures`: patterns, what is new or back, and the way down to the traces.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Client, Retrace};

const WINDOW: &str = "from=2026-03-01T00:00:00Z&to=2026-03-31T00:00:00Z";

async fn fail(client: &Client, name: &str, day: u32, error: &str) -> String {
    let id = Uuid::new_v4().simple().to_string();
    let body = json!({
        "id": id, "name": name, "project_id": "p", "status": "failed", "error": error,
        "started_at": format!("2026-03-{day:02}T10:00:00Z"),
    });
    client.post("/api/v1/traces", &body).await.expect(201);
    id
}

fn cluster<'a>(answer: &'a Value, part: &str) -> &'a Value {
    let clusters = answer["clusters"].as_array().unwrap();
    let mut found = clusters.iter().filter(|cluster| cluster["pattern"].as_str().unwrap().contains(part));
    let cluster = found.next().unwrap_or_else(|| panic!("no pattern has `{part}`: {answer}"));
    assert!(found.next().is_none(), "several patterns have `{part}`: {answer}");
    cluster
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_traces_are_grouped_by_what_their_errors_have_in_common() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    for n in 0..5 {
        let error = format!("Error code: 429 - Rate limit reached for org-{n}77 after {n} requests");
        fail(client, ["writer", "reader"][n % 2], 10 + n as u32, &error).await;
    }
    let back = [fail(client, "reader", 2, "connect to 10.0.0.1:5432 failed").await, {
        fail(client, "reader", 30, "connect to 10.0.0.7:5432 failed").await
    }];
    fail(client, "reader", 30, "the tool `search` said nonsense").await;
    // The error of a span speaks for a trace that has none; a trace that completed is no failure.
    for (status, day) in [("failed", 12), ("completed", 13)] {
        let start = format!("2026-03-{day}T10:00:00Z");
        let body = json!({"id": Uuid::new_v4(), "name": "writer", "project_id": "q", "status": status, "started_at": start,
        "spans": [
            {"id": Uuid::new_v4(), "name": "late", "span_type": "tool_call", "started_at": "2026-03-14T00:00:00Z", "error": "another"},
            {"id": Uuid::new_v4(), "name": "early", "span_type": "llm_call", "started_at": "2026-03-12T00:00:00Z", "error": "context of 9000 tokens is too long"},
        ]});
        client.post("/api/v1/traces", &body).await.expect(201);
    }
    let gone = fail(client, "writer", 20, "never seen by anybody").await;
    client.delete(&format!("/api/v1/traces/{gone}")).await.expect(204);
    retrace.settled().await;

    let answer = client.get(&format!("/api/v1/insights/failures?{WINDOW}")).await.expect(200).json();
    assert_eq!((answer["total_failed"].as_u64(), answer["cluster_count"].as_u64()), (Some(9), Some(4)), "{answer}");
    let limited = cluster(&answer, "Rate limit");
    assert_eq!(limited, &answer["clusters"][0]);
    assert_eq!(limited["pattern"], "Error code: 429 - Rate limit reached for <id> after <num> requests");
    assert_eq!((limited["count"].as_u64(), limited["share"].as_f64()), (Some(5), Some(5.0 / 9.0)));
    assert_eq!(limited["affected_names"], json!(["writer", "reader"]));
    assert_eq!(limited["first_seen"], "2026-03-10T10:00:00.000000Z");
    assert_eq!(limited["last_seen"], "2026-03-14T10:00:00.000000Z");
    assert_eq!((&limited["is_new"], &limited["regressed"]), (&json!(false), &json!(false)));
    assert_eq!(limited["trend"].as_array().unwrap().len(), 30);
    assert_eq!(limited["trend"][9], json!({"start": "2026-03-10T00:00:00+00:00", "count": 1}));
    assert_eq!(cluster(&answer, "too long")["count"], 1);
    let connect = cluster(&answer, "connect to");
    assert_eq!((&connect["is_new"], &connect["regressed"]), (&json!(false), &json!(true)), "{connect}");
    assert_eq!(connect["example_trace_ids"], json!([back[1], back[0]]));
    let tool = cluster(&answer, "the tool");
    assert_eq!((&tool["is_new"], &tool["regressed"]), (&json!(true), &json!(false)), "{tool}");

    // What is asked changes the counts, and neither pattern nor id.
    let writer = client.get(&format!("/api/v1/insights/failures?{WINDOW}&name=writer")).await.expect(200).json();
    assert_eq!(writer["total_failed"], 4);
    let of_writer = cluster(&writer, "Rate limit");
    assert_eq!((&of_writer["id"], of_writer["count"].as_u64()), (&limited["id"], Some(3)));

    // The way down.
    let path = format!("/api/v1/insights/failures/{}/traces?{WINDOW}", connect["id"].as_str().unwrap());
    let first = client.get(&format!("{path}&limit=1")).await.expect(200).json();
    assert_eq!((&first["pattern"], &first["traces"][0]["id"]), (&connect["pattern"], &json!(back[1])), "{first}");
    let next = format!("{path}&limit=1&cursor={}", first["next_cursor"].as_str().unwrap());
    let second = client.get(&next).await.expect(200).json();
    assert_eq!((&second["traces"][0]["id"], &second["next_cursor"]), (&json!(back[0]), &Value::Null), "{second}");
    client.get("/api/v1/insights/failures/0000000000000000/traces").await.expect(404);

    // Another tenant sees none of it.
    let stranger = retrace.key_of("elsewhere", "eve").await;
    let nothing = stranger.get(&format!("/api/v1/insights/failures?{WINDOW}")).await.expect(200).json();
    assert_eq!((nothing["total_failed"].as_u64(), &nothing["clusters"]), (Some(0), &json!([])));
    stranger.get(&path).await.expect(404);

    // All of it comes back from the log.
    let fault = client.get("/api/v1/insights/failures?recent_hours=0&colour=red&interval=year").await.expect(400);
    assert!(fault.error().contains("recent_hours is not a whole number from 1 to 8784"), "{}", fault.text);
    retrace.assert_exact().await;
}
