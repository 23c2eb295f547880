//! `GET /models`: no model's price is silently unknown.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Client, Retrace};
use crate::reprice::{options, publish};
use retrace_server::commands::reprice::Repricing;

const MARCH: &str = "/api/v1/models?from=2026-03-01T00:00:00Z&to=2026-04-01T00:00:00Z";

async fn record(client: &Client, project: &str, model: &str, tokens: i64) {
    let body = json!({"id": Uuid::new_v4(), "project_id": project, "environment": "e", "status": "completed",
    "started_at": "2026-03-10T10:00:00Z", "spans": [
        {"span_type": "llm_call", "model": model, "started_at": "2026-03-10T10:00:00Z", "input_tokens": tokens, "output_tokens": 1},
        {"span_type": "llm_call", "model": model, "started_at": "2026-03-10T10:00:00Z"},
        {"span_type": "llm_call", "started_at": "2026-03-10T10:00:00Z", "output_tokens": 5},
    ]});
    client.post("/api/v1/traces", &body).await.expect(201);
}

fn names(answer: &Value) -> Vec<&str> {
    answer["models"].as_array().unwrap().iter().map(|model| model["model"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn models_without_a_price_come_first_and_get_one_from_a_table_of_the_tenants_own() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let stranger = retrace.key_of("elsewhere", "eve").await;
    record(client, "p", "GPT-4o-mini", 1_000_000).await;
    record(client, "q", "gpt-4o-mini", 10).await;
    record(client, "p", "mine", 2_000_000).await;
    record(client, "p", "nobody's", 10).await;
    record(client, "q", "nobody's", 10).await;
    record(&stranger, "p", "theirs", 10).await;
    retrace.settled().await;

    let answer = client.get(MARCH).await.expect(200).json();
    assert_eq!(names(&answer), ["nobody's", "mine", "GPT-4o-mini", "gpt-4o-mini"], "{answer}");
    assert_eq!((&answer["count"], &answer["from"]), (&json!(4), &json!("2026-03-01T00:00:00.000000Z")));
    let expected = json!({"model": "nobody's", "calls": 4, "traces": 2, "tokens": 22, "input_tokens": 20, "output_tokens": 2,
        "cost": 0, "unpriced_calls": 2, "price": null, "reason": "unknown_model"});
    assert_eq!(answer["models"][0], expected);
    let shipped = &answer["models"][2];
    assert_eq!(
        (&shipped["cost"], &shipped["unpriced_calls"], &shipped["reason"]),
        (&json!(0.1500006), &json!(0), &Value::Null)
    );
    let price = &shipped["price"];
    assert_eq!(
        (&price["model"], &price["provider"], &price["table"]),
        (&json!("gpt-4o-mini"), &json!("openai"), &json!("shared"))
    );
    assert_eq!((&price["input_per_million"], &price["output_per_million"]), (&json!(0.15), &json!(0.6)));
    assert_eq!(price["table_hash"], json!(schemas::prices::hash(schemas::prices::SHIPPED)));

    // The tenant's own table comes before everybody's, and only for the tenant.
    publish(&retrace.settings, "local", &[("mine", "3.000000000001", "1"), ("gpt-4o-mini", "1", "2")]).await;
    retrace.settled().await;
    let answer = client.get(MARCH).await.expect(200).json();
    assert_eq!(names(&answer), ["nobody's", "GPT-4o-mini", "gpt-4o-mini", "mine"], "{answer}");
    let mine = &answer["models"][3];
    assert_eq!(
        (&mine["unpriced_calls"], &mine["cost"], &mine["price"]["table"]),
        (&json!(1), &json!(0), &json!("tenant"))
    );
    assert!(client.get(MARCH).await.text.contains("\"input_per_million\":3.000000000001,"));
    assert_eq!(answer["models"][1]["price"]["input_per_million"], json!(1));
    let theirs = stranger.get(MARCH).await.expect(200).json();
    assert_eq!((names(&theirs), &theirs["models"][0]["reason"]), (vec!["theirs"], &json!("unknown_model")));

    // What is recorded gets it by repricing.
    let repricing = Repricing::start(&retrace.settings, options(&["--tenant", "local", "--yes"])).await.unwrap();
    repricing.append().await.unwrap();
    let answer = client.get(MARCH).await.expect(200).json();
    assert_eq!(names(&answer), ["nobody's", "mine", "GPT-4o-mini", "gpt-4o-mini"], "{answer}");
    assert_eq!(
        (&answer["models"][1]["unpriced_calls"], &answer["models"][1]["cost"]),
        (&json!(0), &json!(6.000001000002))
    );

    for (query, expected) in [
        ("priced=false", vec!["nobody's"]),
        ("priced=true", vec!["mine", "GPT-4o-mini", "gpt-4o-mini"]),
        ("project_id=q", vec!["nobody's", "gpt-4o-mini"]),
        ("environment=f", vec![]),
        ("limit=1", vec!["nobody's"]),
    ] {
        let answer = client.get(&format!("{MARCH}&{query}")).await.expect(200).json();
        assert_eq!(names(&answer), expected, "{query}: {answer}");
        assert_eq!(answer["count"], json!(if query == "limit=1" { 4 } else { expected.len() }));
    }
    // Within a day it is the traces that are asked, and not the totals.
    let answer =
        client.get("/api/v1/models?from=2026-03-10T09:59:59Z&to=2026-03-10T10:00:00.000001Z").await.expect(200);
    assert_eq!(names(&answer.json()).len(), 4);
    let fault = client.get("/api/v1/models?priced=maybe&limit=0&model=m&from=x").await.expect(400);
    for name in ["priced", "limit", "model", "from"] {
        assert!(fault.text.contains(name), "{name}: {}", fault.text);
    }
    client.with_key("rt_nobody").get(MARCH).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_that_has_ended_is_told_apart_from_an_unknown_model() {
    let retrace = Retrace::start().await;
    record(&retrace.client, "p", "old", 1_000_000).await;
    let table = crate::reprice::table(&[("old", "2", "0")])
        .replace("\"valid_to\":null", "\"valid_to\":\"2026-04-01T00:00:00Z\"");
    let pool = runtime::postgres::pool(&retrace.settings).unwrap();
    let system = ingest::system::System { settings: &retrace.settings, pool: &pool };
    system.publish_prices(&table, "").await.unwrap();
    let repricing = Repricing::start(&retrace.settings, options(&["--yes"])).await.unwrap();
    repricing.append().await.unwrap();
    let old = retrace.client.get(MARCH).await.expect(200).json()["models"][0].clone();
    // Then it had one; a call that begins now has none.
    assert_eq!((&old["cost"], &old["unpriced_calls"]), (&json!(2), &json!(0)));
    assert_eq!((&old["price"], &old["reason"]), (&Value::Null, &json!("not_valid_now")));
}
