//! `GET /analytics/costs` as its users see it. That it equals the fold whatever happens is the histories' matter.

use std::str::FromStr;

use migrations::generations;
use retrace_server::commands::migrate::prepare;
use runtime::Settings;
use schemas::Money;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Client, Retrace};
use crate::rebuild::tables as tables_of;

/// A decimal as it stands in the answer: a float would hide its last digits.
fn decimal(text: &str, field: &str) -> Money {
    let (_, rest) = text.split_once(&format!("\"{field}\":")).unwrap_or_else(|| panic!("{field} in {text}"));
    let end = rest.find([',', '}']).unwrap();
    Money::parse(&rest[..end]).unwrap()
}

async fn record(client: &Client, body: Value) -> String {
    client.post("/api/v1/traces", &body).await.expect(201).json()["id"].as_str().unwrap().to_owned()
}

fn trace(at: &str, model: &str, cost: &str, tokens: i64) -> Value {
    let cost = serde_json::Number::from_str(cost).unwrap();
    json!({"id": Uuid::new_v4(), "name": "writer", "project_id": "p", "user_id": "ann", "started_at": at, "status": "completed",
        "spans": [{"span_type": "llm_call", "model": model, "started_at": at, "cost": cost, "input_tokens": tokens}]})
}

#[tokio::test(flavor = "multi_thread")]
async fn costs_add_up_to_the_last_digit_of_the_traces() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let costs = ["0.000000000001", "0.1", "0.2", "1234.000000000003", "0.000004800007"];
    for (n, cost) in costs.into_iter().enumerate() {
        let at = format!("2026-03-{:02}T23:30:00.000001Z", 26 + n);
        record(client, trace(&at, ["gpt-4o", "mini"][n % 2], cost, 3)).await;
    }
    let gone = record(client, trace("2026-03-28T10:00:00Z", "gpt-4o", "99", 9)).await;
    client.delete(&format!("/api/v1/traces/{gone}")).await.expect(204);
    retrace.settled().await;

    let path = "/api/v1/analytics/costs?from=2026-03-26T00:00:00Z&to=2026-04-01T00:00:00Z&timezone=Europe/Berlin";
    let answer = client.get(path).await.expect(200);
    let listed = client.get("/api/v1/traces?limit=200").await.expect(200);
    let sum: Money = listed
        .text
        .split("\"total_cost\":")
        .skip(1)
        .map(|rest| Money::parse(&rest[..rest.find([',', '}']).unwrap()]).unwrap())
        .sum();
    assert_eq!(decimal(&answer.text, "total"), sum);
    assert_eq!(sum, Money::parse("1234.300004800011").unwrap());
    let days: Vec<(String, i64)> = answer.json()["daily"]
        .as_array()
        .unwrap()
        .iter()
        .map(|day| (day["date"].as_str().unwrap().to_owned(), day["count"].as_i64().unwrap()))
        .collect();
    // 23:30 in London is the next day in Berlin; on the 29th clocks go forward there.
    let expected = [
        ("2026-03-26", 0),
        ("2026-03-27", 1),
        ("2026-03-28", 1),
        ("2026-03-29", 1),
        ("2026-03-30", 1),
        ("2026-03-31", 1),
        ("2026-04-01", 0),
    ];
    assert_eq!(days, expected.map(|(date, count)| (date.to_owned(), count)));
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_beyond_the_limit_are_summed_up_and_unknown_prices_are_said() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    for n in 0..5 {
        let mut body = trace("2026-03-26T10:00:00Z", "nobody's", "1", 10);
        body["user_id"] = json!(format!("user {n}"));
        if n == 0 {
            body["spans"][0].as_object_mut().unwrap().remove("cost");
        }
        record(client, body).await;
    }
    retrace.settled().await;
    let path = "/api/v1/analytics/costs?from=2026-03-20T00:00:00Z&to=2026-03-27T00:00:00Z&group_by=user&limit=2&interval=week&compare=previous";
    let answer = client.get(path).await.expect(200).json();
    assert_eq!(answer["byModel"][0]["unpriced_calls"], json!(1), "{answer}");
    let groups = &answer["groups"];
    assert_eq!((groups["count"].clone(), groups["groups"].as_array().unwrap().len()), (json!(5), 2));
    assert_eq!(groups["groups"][0]["value"], json!("user 1"));
    assert_eq!((groups["others"]["cost"].clone(), groups["others"]["traces"].clone()), (json!(2), json!(3)));
    let weeks: Vec<Value> =
        answer["series"].as_array().unwrap().iter().map(|week| json!([week["start"], week["cost"]])).collect();
    assert_eq!(json!(weeks), json!([["2026-03-16T00:00:00+00:00", 0], ["2026-03-23T00:00:00+00:00", 4]]));
    assert_eq!(
        (answer["previous"]["from"].clone(), answer["previous"]["change_percent"].clone()),
        (json!("2026-03-13T00:00:00.000000Z"), Value::Null)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_request_is_named_in_one_answer() {
    let retrace = Retrace::start().await;
    let path = "/api/v1/analytics/costs?timezone=Mars&group_by=mood&interval=year&from=x&limit=0&colour=red";
    let answer = retrace.client.get(path).await.expect(400);
    for name in ["timezone", "group_by", "interval", "from", "limit", "colour"] {
        assert!(answer.text.contains(name), "{name}: {}", answer.text);
    }
    for (path, fault) in [
        ("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "from is not before to"),
        ("from=2026-01-01T00:00:00Z&to=2026-12-31T00:00:00Z&interval=hour", "more than 4000 intervals"),
    ] {
        let answer = retrace.client.get(&format!("/api/v1/analytics/costs?{path}")).await.expect(400);
        assert!(answer.text.contains(fault), "{}", answer.text);
    }
}

/// An installation that an older version has made.
#[tokio::test(flavor = "multi_thread")]
async fn tables_of_another_version_are_made_anew_from_the_log() {
    let mut retrace = Retrace::start().await;
    let id = record(&retrace.client, trace("2026-03-26T10:00:00Z", "gpt-4o", "1", 10)).await;
    retrace.settled().await;
    let settings: Settings = (*retrace.settings).clone();
    retrace.stop().await;
    let pool = runtime::postgres::pool(&settings).unwrap();
    sqlx::query("UPDATE generations SET layout = NULL WHERE projection = 'traces'").execute(&pool).await.unwrap();

    let refused = prepare(&settings, false).await.unwrap_err();
    assert!(refused.to_string().contains("another version's"), "{refused}");
    assert_eq!(prepare(&settings, true).await.unwrap(), ["traces"]);
    // Until it is filled, whoever starts is told so, and what was there before is kept.
    assert_eq!(prepare(&settings, false).await.unwrap(), ["traces"]);
    assert_eq!(tables_of(&settings).await, ["g1", "g2"]);
    let again = Retrace::run(settings.clone(), false).await;
    again.settled().await;
    generations::filled(&settings, &pool).await.unwrap();
    assert_eq!(prepare(&settings, false).await.unwrap(), Vec::<&str>::new());
    assert_eq!(tables_of(&settings).await, ["g2"]);
    again.client.get(&format!("/api/v1/traces/{id}")).await.expect(200);
    again.assert_exact().await;
}

/// Tables that are ahead of the log hold what it cannot say again.
#[tokio::test(flavor = "multi_thread")]
async fn tables_that_the_log_cannot_make_again_are_left_alone() {
    let mut retrace = Retrace::start().await;
    record(&retrace.client, trace("2026-03-26T10:00:00Z", "gpt-4o", "1", 10)).await;
    retrace.settled().await;
    let settings: Settings = (*retrace.settings).clone();
    retrace.stop().await;
    let pool = runtime::postgres::pool(&settings).unwrap();
    sqlx::query("UPDATE generations SET layout = NULL WHERE projection = 'traces'").execute(&pool).await.unwrap();
    // As if Kafka's folder had been lost and the log begun anew.
    let lost = Settings { topic_prefix: format!("{}lost.", settings.topic_prefix), ..settings.clone() };
    let refused = prepare(&lost, true).await.unwrap_err();
    assert!(refused.to_string().contains("ahead of the log"), "{refused}");
    assert_eq!(tables_of(&settings).await, ["g1"]);
}
