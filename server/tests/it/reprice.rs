//! `retrace reprice`: what it shows is what it changes, to the last digit, and nothing else changes.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Parser;
use ingest::system::System;
use retrace_server::cli::{Cli, Command, RepriceOptions};
use retrace_server::commands::rebuild::rebuild;
use retrace_server::commands::reprice::{Change, Repricing};
use runtime::Settings;
use schemas::{Money, topics};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Client, Process, Retrace, environment, eventually};

/// Of the first API key.
const TENANT: &str = "local";
const COSTS: &str = "/api/v1/analytics/costs?from=2026-03-01T00:00:00Z&to=2026-04-01T00:00:00Z";
const UNKNOWN: &str = "a model of nobody";

pub fn options(args: &[&str]) -> RepriceOptions {
    match Cli::parse_from(["retrace", "reprice"].iter().chain(args)).command {
        Command::Reprice { options, .. } => options,
        _ => unreachable!("it is that command"),
    }
}

pub fn table(models: &[(&str, &str, &str)]) -> String {
    let models: Vec<Value> = models
        .iter()
        .map(|(model, input, output)| {
            let price =
                json!({"valid_from": null, "valid_to": null, "source": "a contract", "input": input, "output": output});
            json!({"provider": "test", "model": model, "prices": [price]})
        })
        .collect();
    json!({"version": "1", "currency": "USD", "unit": "per 1,000,000 tokens", "models": models}).to_string()
}

pub async fn publish(settings: &Settings, tenant: &str, models: &[(&str, &str, &str)]) {
    let pool = runtime::postgres::pool(settings).unwrap();
    let system = System { settings, pool: &pool };
    assert!(system.publish_prices(&table(models), tenant).await.unwrap());
}

fn call(model: &str, input: i64, output: i64) -> Value {
    json!({"span_type": "llm_call", "model": model, "started_at": "2026-03-10T10:00:00Z", "input_tokens": input,
        "output_tokens": output})
}

async fn record(client: &Client, day: u32, project: &str, spans: &[Value]) -> String {
    let id = Uuid::new_v4().to_string();
    let body = json!({"id": id, "name": "writer", "project_id": project, "status": "completed", "total_cost": 0.75,
        "started_at": format!("2026-03-{day:02}T10:00:00Z"), "spans": spans});
    client.post("/api/v1/traces", &body).await.expect(201);
    id
}

/// A decimal as it stands in the answer: a float would hide its last digits.
fn decimal(text: &str, field: &str) -> Money {
    let (_, rest) = text.split_once(&format!("\"{field}\":")).unwrap_or_else(|| panic!("{field} in {text}"));
    Money::parse(&rest[..rest.find([',', '}']).unwrap()]).unwrap()
}

/// Model → (cost, calls without a price).
fn by_model(text: &str) -> BTreeMap<String, (Money, i64)> {
    let (_, models) = text.split_once("\"byModel\":[").unwrap();
    let (models, _) = models.split_once(']').unwrap();
    let models = models.split("{\"model\":").skip(1).map(|model| {
        let name = model[..model.find(",\"cost\"").unwrap()].trim_matches('"').replace("null", "");
        let unpriced = decimal(model, "unpriced_calls").0 / Money::parse("1").unwrap().0;
        (name, (decimal(model, "cost"), unpriced as i64))
    });
    models.collect()
}

async fn trace_costs(client: &Client, ids: &[String]) -> Vec<Money> {
    let mut costs = Vec::new();
    for id in ids {
        costs.push(decimal(&client.get(&format!("/api/v1/traces/{id}")).await.expect(200).text, "total_cost"));
    }
    costs
}

async fn length(retrace: &Retrace) -> usize {
    retrace.log(topics::TELEMETRY).await.len()
}

async fn planned(retrace: &Retrace, args: &[&str]) -> Change {
    Repricing::start(&retrace.settings, options(args)).await.unwrap().plan().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_shown_is_what_changes_to_the_last_digit() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let stranger = retrace.key_of("elsewhere", "eve").await;
    let reported = json!({"span_type": "llm_call", "model": UNKNOWN, "started_at": "2026-03-10T10:00:00Z", "cost": 0.1,
        "input_tokens": 9});
    let calls = [call("gpt-4o-mini", 1_000, 77), call("gpt-4o", 3, 1)];
    let ids = [
        record(client, 10, "p", &calls).await,
        // Its total is the reported one until a call of it has a price.
        record(client, 11, "p", &[call(UNKNOWN, 123_457, 1)]).await,
        record(client, 12, "q", &[call("GPT-4o-mini", 7, 0), reported]).await,
        record(client, 13, "q", &[]).await,
    ];
    let gone = record(client, 10, "p", &[call(UNKNOWN, 5, 5)]).await;
    client.delete(&format!("/api/v1/traces/{gone}")).await.expect(204);
    let theirs = [record(&stranger, 10, "p", &calls).await, record(&stranger, 10, "p", &[call(UNKNOWN, 1, 1)]).await];
    // What is in force already changes nothing.
    assert_eq!(planned(&retrace, &[]).await.changed_traces, 0);

    publish(&retrace.settings, TENANT, &[("gpt-4o-mini", "1.000001", "0.3"), (UNKNOWN, "0.000007", "2")]).await;
    // What comes later names the new table by itself; a span of an earlier trace, too.
    let late = record(client, 10, "p", &[call(UNKNOWN, 1, 0)]).await;
    eventually("the new price", async || {
        let spans = json!({"spans": [{"id": "00f067aa0ba902b7", "span_type": "llm_call", "model": UNKNOWN,
            "started_at": "2026-03-10T10:00:00Z", "input_tokens": 1}]});
        let answer = client.patch(&format!("/api/v1/traces/{late}"), &spans).await.expect(200);
        let trace = client.get_after(&format!("/api/v1/traces/{late}"), &answer.position()).await.expect(200).json();
        trace["spans"].as_array().unwrap().iter().any(|span| span["cost"] == json!(7e-12))
    })
    .await;
    retrace.settled().await;
    let before = client.get(COSTS).await.expect(200).text;
    let (costs, their_costs) = (trace_costs(client, &ids).await, trace_costs(&stranger, &theirs).await);
    let their_answer = stranger.get(COSTS).await.expect(200).text;
    let recorded = length(&retrace).await;

    let repricing = Repricing::start(&retrace.settings, options(&["--yes"])).await.unwrap();
    let shown = repricing.plan().await.unwrap();
    assert_eq!((length(&retrace).await, &client.get(COSTS).await.expect(200).text), (recorded, &before));
    // Of the late trace's two calls the first was recorded before or after the table was followed.
    let first_was_unpriced = shown.changed_traces == 4;
    assert_eq!(shown.changed_traces, 3 + u64::from(first_was_unpriced), "{shown}");
    let priced = shown.models[UNKNOWN].clone();
    assert_eq!((priced.calls, priced.priced), (1 + u64::from(first_was_unpriced), priced.calls), "{shown}");
    assert_eq!(shown.models["gpt-4o-mini"].calls, 1, "{shown}");

    assert_eq!(repricing.append().await.unwrap(), shown);
    assert_eq!(length(&retrace).await, recorded + shown.changed_traces as usize);
    let after = client.get(COSTS).await.expect(200).text;
    assert_eq!(decimal(&after, "total") - decimal(&before, "total"), shown.after - shown.before, "{shown}\n{after}");
    let (old, new) = (by_model(&before), by_model(&after));
    for (model, (cost, unpriced)) in &new {
        let change = shown.models.get(model).cloned().unwrap_or_default();
        let (cost_before, unpriced_before) = old[model];
        assert_eq!(*cost - cost_before, change.after - change.before, "{model}: {shown}");
        assert_eq!(unpriced_before - unpriced, change.priced as i64, "{model}: {shown}");
    }
    assert_eq!(new[UNKNOWN].1, 0);
    let new_costs = trace_costs(client, &ids).await;
    let expected = ["0.001040601", "0.000002864199", "0.100007000007", "0.75"];
    assert_eq!(new_costs, expected.map(|text| Money::parse(text).unwrap()), "{costs:?}");
    client.get(&format!("/api/v1/traces/{gone}")).await.expect(404);
    assert_eq!(trace_costs(&stranger, &theirs).await, their_costs);
    assert_eq!(stranger.get(COSTS).await.expect(200).text, their_answer);

    // Once more there is nothing to do.
    let again = Repricing::start(&retrace.settings, options(&["--yes"])).await.unwrap();
    assert_eq!(again.append().await.unwrap().changed_traces, 0);
    assert_eq!(length(&retrace).await, recorded + shown.changed_traces as usize);
    retrace.assert_exact().await;
    rebuild(&retrace.settings, "traces", Duration::from_secs(2)).await.unwrap();
    retrace.assert_exact().await;
    assert_eq!((client.get(COSTS).await.expect(200).text, trace_costs(client, &ids).await), (after, new_costs));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_asked_for_is_repriced() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let stranger = retrace.key_of("elsewhere", "eve").await;
    for (client, day, project, model) in [
        (client, 10, "p", UNKNOWN),
        (client, 10, "q", UNKNOWN),
        (client, 20, "p", UNKNOWN),
        (client, 20, "p", "another"),
        (&stranger, 10, "p", UNKNOWN),
    ] {
        record(client, day, project, &[call(model, 1_000_000, 0)]).await;
    }
    publish(&retrace.settings, "", &[(UNKNOWN, "3", "1"), ("another", "5", "1")]).await;
    let of = async |args: &[&str]| {
        let change = planned(&retrace, args).await;
        (change.traces, change.changed_traces, (change.total().after - change.total().before).to_string())
    };
    // Each trace gives up the 0.75 that it reports.
    assert_eq!(of(&[]).await, (5, 5, "13.25".to_owned()));
    assert_eq!(of(&["--tenant", "elsewhere"]).await, (1, 1, "2.25".to_owned()));
    assert_eq!(of(&["--tenant", TENANT, "--project", "p"]).await, (3, 3, "8.75".to_owned()));
    assert_eq!(of(&["--project", "q"]).await, (1, 1, "2.25".to_owned()));
    assert_eq!(of(&["--model", "A model of Nobody", "--tenant", TENANT]).await, (4, 3, "6.75".to_owned()));
    assert_eq!(of(&["--model", "another", "--model", UNKNOWN]).await, (5, 5, "13.25".to_owned()));
    assert_eq!(of(&["--model", "gpt-4o"]).await, (5, 0, "0".to_owned()));
    assert_eq!(of(&["--from", "2026-03-10T10:00:00.000001Z"]).await, (2, 2, "6.5".to_owned()));
    assert_eq!(of(&["--to", "2026-03-20T10:00:00Z"]).await, (3, 3, "6.75".to_owned()));
    assert_eq!(of(&["--from", "2026-03-20T10:00:00Z", "--to", "2026-03-20T10:00:01Z"]).await, (2, 2, "6.5".to_owned()));

    // One part is appended, as slowly as it is asked; the rest is left.
    let args = ["--tenant", TENANT, "--model", UNKNOWN, "--rate", "2", "--yes"];
    let started = std::time::Instant::now();
    let appended = Repricing::start(&retrace.settings, options(&args)).await.unwrap().append().await.unwrap();
    assert_eq!(appended.changed_traces, 3);
    assert!(started.elapsed() >= Duration::from_millis(1_400), "{:?}", started.elapsed());
    assert_eq!(of(&[]).await, (5, 2, "6.5".to_owned()));
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_shows_the_change_and_appends_it_when_it_is_told_to() {
    let retrace = Retrace::start().await;
    record(&retrace.client, 10, "p", &[call(UNKNOWN, 1_000_000, 0)]).await;
    publish(&retrace.settings, TENANT, &[(UNKNOWN, "3", "1")]).await;
    let (folder, environment) = (tempfile::tempdir().unwrap(), environment(&retrace.settings));
    let recorded = length(&retrace).await;
    let mut said = Vec::new();
    for (name, args, appended) in
        [("shown", &["reprice"][..], 0), ("dry", &["reprice", "--dry-run"], 0), ("yes", &["reprice", "--yes"], 1)]
    {
        let mut process = Process::start(folder.path(), name, args, &environment);
        assert!(process.end(Duration::from_secs(60)).await.success(), "{}", process.stderr());
        said.push(process.stdout());
        assert_eq!(length(&retrace).await, recorded + appended, "{name}");
    }
    let row = said[0].lines().find(|line| line.starts_with(UNKNOWN)).unwrap_or_else(|| panic!("{}", said[0]));
    assert_eq!(row.split_whitespace().skip(4).collect::<Vec<_>>(), ["1", "1", "0", "0", "3", "+3"]);
    assert!(said[0].contains("1 of 1 traces with spans change; together they cost 0.75 before, 3 after: +2.25."));
    assert!(said[0].contains("`--yes`") && said[0] == said[1], "{}", said[0]);
    assert!(said[2].ends_with("1 traces are repriced.\n"), "{}", said[2]);
    let spent = retrace.client.get(COSTS).await.expect(200);
    assert_eq!(decimal(&spent.text, "total"), Money::parse("3").unwrap());
}

/// As the first run would leave it that was ended in its middle, and a table that was published meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn traces_that_changed_before_are_priced_anew_by_every_table() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let id = record(client, 10, "p", &[call(UNKNOWN, 1_000_000, 0), call("gpt-4o-mini", 1_000_000, 0)]).await;
    let cost = async || trace_costs(client, std::slice::from_ref(&id)).await[0].to_string();
    retrace.settled().await;
    assert_eq!(cost().await, "0.15");
    for (price, total) in [("3", "3.15"), ("5", "5.15"), ("3", "3.15")] {
        publish(&retrace.settings, TENANT, &[(UNKNOWN, price, "1")]).await;
        let repricing = Repricing::start(&retrace.settings, options(&["--yes"])).await.unwrap();
        assert_eq!(repricing.append().await.unwrap().changed_traces, 1);
        assert_eq!(cost().await, total);
    }
    // A table that has lost a model takes its price away, and says so.
    publish(&retrace.settings, TENANT, &[("another", "1", "1")]).await;
    let lost = planned(&retrace, &[]).await.models[UNKNOWN].clone();
    assert_eq!((lost.calls, lost.unpriced, lost.before.to_string().as_str()), (1, 1, "3"));
    retrace.assert_exact().await;
}
