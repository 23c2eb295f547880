//! Usage: exact to the event, whatever is sent again or deleted; and the limits of plans.

use std::time::Duration;

use ingest::system::System;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Answer, Client, Retrace, eventually};

/// How old the counts are at most that limits are held against.
const FRESH: Duration = Duration::from_secs(1);

fn run(id: &str, spans: usize) -> Value {
    let spans: Vec<Value> = (0..spans)
        .map(|n| {
            json!({"id": format!("{n:016x}"), "span_type": "llm_call", "name": "s", "started_at": "2026-11-20T10:00:00Z",
                "input_tokens": 3, "output_tokens": 2, "cost": 0.25})
        })
        .collect();
    json!({"id": id, "name": "run", "output": "x".repeat(100), "spans": spans})
}

async fn used(client: &Client, after: &str) -> Value {
    client.send(Method::GET, "/api/v1/usage", &[("x-retrace-after", after)], None).await.expect(200).json()
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_are_exact_and_never_go_back() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let id = Uuid::new_v4().to_string();
    client.post("/api/v1/traces", &run(&id, 2)).await.expect(201);
    // Again, and more of it.
    client.post("/api/v1/traces", &run(&id, 2)).await.expect(201);
    let last = client.post("/api/v1/traces", &run(&id, 3)).await.expect(201).position();
    let month = used(client, &last).await;
    assert_eq!((&month["traces"], &month["spans"]), (&limited(1), &limited(3)));
    assert_eq!((&month["plan"], &month["ai_requests"]), (&json!("unlimited"), &limited(0)));
    let (start, end) = (month["period_start"].as_str().unwrap(), month["period_end"].as_str().unwrap());
    assert!(
        start.ends_with("-01T00:00:00.000000Z") && end.ends_with("-01T00:00:00.000000Z") && start < end,
        "{start} {end}"
    );
    assert!(month["storage_bytes"].as_u64().unwrap() >= 100, "{month}");

    let days = client.get("/api/v1/usage/daily").await.expect(200).json();
    let days = days["days"].as_array().unwrap();
    assert_eq!(days.len(), 30);
    let (today, before) = days.split_last().unwrap();
    assert_eq!(today["date"], start_of_day());
    assert_eq!(json!([today["traces"], today["spans"], today["tokens"], today["cost"]]), json!([1, 3, 15, 0.75]));
    assert!(before.iter().all(|day| day["spans"] == 0 && day["cost"] == 0), "{before:?}");
    let dates: Vec<&str> = days.iter().map(|day| day["date"].as_str().unwrap()).collect();
    assert!(dates.windows(2).all(|pair| pair[0] < pair[1]), "{dates:?}");

    let gone = client.delete(&format!("/api/v1/traces/{id}")).await.expect(204).position();
    let late = client.post("/api/v1/traces", &run(&id, 9)).await.expect(201).position();
    assert_eq!(used(client, &gone).await["spans"], limited(3));
    assert_eq!(used(client, &late).await["spans"], limited(3));
    let other = retrace.key_of("other", "ann").await;
    assert_eq!(used(&other, &late).await["traces"], limited(0));
    retrace.assert_exact().await;
}

fn limited(used: u64) -> Value {
    json!({"used": used, "limit": null})
}

fn start_of_day() -> String {
    time::OffsetDateTime::now_utc().date().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_ends_what_is_taken_until_the_next_month() {
    let retrace = Retrace::with(|settings| {
        settings.plans = "unlimited; small: traces=100, spans=5, ai_requests=1".into();
        settings.plan_default = "small".into();
    })
    .await;
    let client = &retrace.client;
    let id = Uuid::new_v4().to_string();
    // What crosses the limit is the last that is taken, whole.
    client.post("/api/v1/traces", &run(&id, 4)).await.expect(201);
    let last = client.post("/api/v1/traces", &run(&Uuid::new_v4().to_string(), 3)).await.expect(201).position();
    let month = used(client, &last).await;
    assert_eq!((&month["plan"], &month["spans"]), (&json!("small"), &json!({"used": 7, "limit": 5})));
    let refused = refusal(client).await;
    let message = "Monthly span limit reached: the plan small has no more for ";
    assert!(refused.error().starts_with(message), "{}", refused.text);
    let left: u64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=31 * 86_400).contains(&left), "{left}");
    // What was begun can end, and what is there can be read and deleted.
    client.patch(&format!("/api/v1/traces/{id}"), &json!({"status": "completed"})).await.expect(200);
    client.patch(&format!("/api/v1/traces/{id}"), &run(&id, 5)).await.expect(429);
    client.delete(&format!("/api/v1/traces/{id}")).await.expect(204);
    client.post("/api/v1/traces", &run(&id, 1)).await.expect(429);
    // Another tenant has counts of its own.
    let other = retrace.key_of("other", "ann").await;
    other.post("/api/v1/traces", &run(&id, 1)).await.expect(201);

    // A larger plan holds within a second.
    let pool = runtime::postgres::pool(&retrace.settings).unwrap();
    let system = System { settings: &retrace.settings, pool: &pool };
    system.set_plan("local", Some("unlimited")).await.unwrap();
    eventually("the plan", async || client.post("/api/v1/traces", &run(&id, 1)).await.status == 201).await;
    assert_eq!(client.get("/api/v1/usage").await.expect(200).json()["plan"], "unlimited");
    retrace.assert_exact().await;
}

/// The counts are up to a second old.
async fn refusal(client: &Client) -> Answer {
    let mut refused = None;
    eventually("the limit", async || {
        let answer = client.post("/api/v1/traces", &json!({"name": "one more"})).await;
        let is_over = answer.status == 429;
        refused = Some(answer);
        is_over
    })
    .await;
    refused.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grace_goes_beyond_the_plan() {
    let retrace = Retrace::with(|settings| {
        settings.plans = "small: spans=4".into();
        settings.plan_default = "small".into();
        settings.usage_grace_percent = 50;
    })
    .await;
    let client = &retrace.client;
    client.post("/api/v1/traces", &run(&Uuid::new_v4().to_string(), 5)).await.expect(201);
    retrace.settled().await;
    // The look at the counts is a second old at most: then it has the five.
    tokio::time::sleep(FRESH).await;
    let last = client.post("/api/v1/traces", &run(&Uuid::new_v4().to_string(), 1)).await.expect(201).position();
    assert_eq!(used(client, &last).await["spans"], json!({"used": 6, "limit": 4}));
    refusal(client).await;
}
