//! The published Python client, unpatched, records over HTTP; what it holds of a run is what REST reads back.

pub mod fake_openai;
pub mod python;

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use crate::harness::{Client, Retrace};
use fake_openai::FakeOpenAi;

/// Runs a script against an installation.
async fn script(name: &str, arguments: &[&str], base: &str, client: &Client, more: &[(&str, &str)]) -> String {
    let mut variables = vec![("RETRACE_API_KEY", client.key.as_str()), ("RETRACE_BASE_URL", base)];
    variables.extend_from_slice(more);
    python::script(name, arguments, &variables).await
}

async fn read(client: &Client, id: &str) -> Value {
    client.get(&format!("/api/v1/traces/{id}")).await.expect(200).json()
}

fn time(value: &Value) -> OffsetDateTime {
    OffsetDateTime::parse(value.as_str().unwrap(), &Rfc3339).unwrap()
}

/// Money in units of 1e-12, as exact as it is kept.
fn pico(value: &Value) -> i64 {
    (value.as_f64().unwrap_or_else(|| panic!("{value} is no cost")) * 1e12).round() as i64
}

/// At gpt-4o-mini's price of $0.15 and $0.60 a million tokens.
fn price(prompt_tokens: i64, completion_tokens: i64) -> i64 {
    prompt_tokens * 150_000 + completion_tokens * 600_000
}

fn texts<'a>(items: impl IntoIterator<Item = &'a Value>) -> Vec<&'a str> {
    items.into_iter().map(|item| item.as_str().unwrap()).collect()
}

/// Every field that the client holds is read back with its value.
#[track_caller]
fn assert_holds(read: &Value, held: &Value, but: &[&str]) {
    for (field, value) in held.as_object().unwrap() {
        let got = &read[field];
        match field.as_str() {
            name if but.contains(&name) => {}
            "started_at" | "ended_at" => assert_eq!(time(got), time(value), "{field} in {read:#}"),
            "cost" => assert_eq!(pico(got), pico(value), "{field} in {read:#}"),
            _ => assert_eq!(got, value, "{field} in {read:#}"),
        }
    }
}

/// Compares a whole run: the trace, and its spans one by one.
#[track_caller]
pub fn assert_whole(read: &Value, held: &Value) {
    // The client's figure of the cost lacks what it could not price.
    assert_holds(read, held, &["spans", "total_cost"]);
    let spans = read["spans"].as_array().unwrap();
    let by_id: HashMap<&str, &Value> = spans.iter().map(|span| (span["id"].as_str().unwrap(), span)).collect();
    let kept: &[Value] = held.get("spans").and_then(Value::as_array).map_or(&[], Vec::as_slice);
    assert_eq!(
        (by_id.len(), spans.len(), read["span_count"].as_u64()),
        (kept.len(), kept.len(), Some(kept.len() as u64))
    );
    for held in kept {
        // A requested call that the program then ran has its start moved in the client's memory, never on the wire.
        let moved = held["span_type"] == "tool_call" && held["metadata"]["tool_call_id"].is_string();
        assert_holds(by_id[held["id"].as_str().unwrap()], held, if moved { &["started_at"] } else { &[] });
    }
    let starts: Vec<_> = spans.iter().map(|span| time(&span["started_at"])).collect();
    assert!(starts.is_sorted(), "{starts:?}");
    assert_eq!(read["warnings"], json!([]));
    assert_eq!(read["lossy"], false);
}

#[track_caller]
fn span<'a>(trace: &'a Value, span_type: &str, name: &str) -> &'a Value {
    let mut found =
        trace["spans"].as_array().unwrap().iter().filter(|s| s["span_type"] == span_type && s["name"] == name);
    let span = found.next().unwrap_or_else(|| panic!("no {span_type} {name} in {trace:#}"));
    assert!(found.next().is_none(), "several {span_type} {name} in {trace:#}");
    span
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_is_the_published_one() {
    assert_eq!(python::script("genuine.py", &[], &[]).await.trim(), "0.16.24");
}

#[tokio::test(flavor = "multi_thread")]
async fn five_runs_and_a_failed_one_are_read_back_whole() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let llm = FakeOpenAi::start().await;
    let more = [
        ("RETRACE_PROJECT_ID", "proj-1"),
        ("RETRACE_ENVIRONMENT", "staging"),
        ("OPENAI_BASE_URL", llm.url.as_str()),
        ("OPENAI_API_KEY", "sk-of-tests"),
    ];
    let printed = script("record_runs.py", &[], &client.base, client, &more).await;
    let mut runs = BTreeMap::new();
    for line in printed.lines() {
        let run: Value = serde_json::from_str(line).unwrap();
        let held = &run["trace"];
        let read = read(client, held["id"].as_str().unwrap()).await;
        assert_whole(&read, held);
        assert_eq!((read["environment"].as_str(), read["project_id"].as_str()), (Some("staging"), Some("proj-1")));
        runs.insert(run["name"].as_str().unwrap().to_owned(), read);
    }
    let names = ["failing-agent", "llm-agent", "plain", "session-agent", "stream-agent", "tool-agent"];
    assert_eq!(runs.keys().collect::<Vec<_>>(), names);
    let served = llm.served();
    assert_eq!(served.len(), 5, "{served:?}");
    let [plan, answer, called, used, streamed] = served.as_slice() else { unreachable!() };
    assert_eq!((streamed.streamed, plan.streamed), (true, false));

    let plain = &runs["plain"];
    assert_eq!((plain["status"].as_str(), plain["error"].as_str()), (Some("completed"), None));
    assert_eq!(plain["input"], json!({"args": [1], "kwargs": {"b": 2}}));
    assert_eq!(plain["output"], json!({"sum": 3, "half": 0.5, "none": null, "list": [true, "ä"]}));
    assert_eq!((plain["total_tokens"].as_i64(), pico(&plain["total_cost"])), (Some(0), 0));

    let run = &runs["llm-agent"];
    assert_eq!(run["input"], json!({"args": ["hi"], "kwargs": {"depth": 2}}));
    assert_eq!(run["output"], "live answer to: answer: live answer to: plan: hi");
    assert_eq!(run["models"], json!(["gpt-4o-mini"]));
    for (span, call, asked) in
        [(&run["spans"][0], plan, "plan: hi"), (&run["spans"][1], answer, "answer: live answer to: plan: hi")]
    {
        assert_eq!((span["span_type"].as_str(), span["model"].as_str()), (Some("llm_call"), Some("gpt-4o-mini")));
        assert_eq!(span["input"]["messages"][0], json!({"role": "system", "content": "be brief"}));
        assert_eq!(span["input"]["messages"][1], json!({"role": "user", "content": asked}));
        assert_eq!(span["output"], call.reply.as_str());
        assert_eq!(span["input_tokens"], call.prompt_tokens);
        assert_eq!(span["output_tokens"], call.completion_tokens);
        assert_eq!(pico(&span["cost"]), price(call.prompt_tokens, call.completion_tokens));
        assert_eq!(span["cost_source"], "reported");
    }
    assert_eq!(run["spans"][0]["metadata"]["sampling"], json!({"temperature": 0.2, "seed": 7, "max_tokens": 50}));
    let (prompt, completion) =
        (plan.prompt_tokens + answer.prompt_tokens, plan.completion_tokens + answer.completion_tokens);
    assert_eq!(run["total_tokens"], prompt + completion);
    assert_eq!(pico(&run["total_cost"]), price(prompt, completion));

    let run = &runs["tool-agent"];
    assert_eq!(
        (&run["input"], &run["output"]),
        (&json!({"task": "find"}), &json!({"answer": r#"live answer to: {"hits": 3}"#}))
    );
    let types = texts(run["spans"].as_array().unwrap().iter().map(|span| &span["span_type"]));
    assert_eq!(types, ["llm_call", "tool_call", "reasoning", "action", "llm_call", "tool_result"]);
    let (call, rank, fetch) =
        (span(run, "tool_call", "web_search"), span(run, "reasoning", "rank"), span(run, "action", "fetch"));
    assert_eq!(run["spans"][0]["output"], r#"[tool calls] web_search({"q": "vector databases"})"#);
    assert_eq!(run["spans"][0]["parent_id"], json!(null));
    assert_eq!(
        (&call["parent_id"], &rank["parent_id"], &fetch["parent_id"]),
        (&run["spans"][0]["id"], &call["id"], &rank["id"])
    );
    assert_eq!((&call["input"], &call["output"]), (&json!({"q": "vector databases"}), &json!({"hits": 3})));
    assert_eq!((&rank["input"], &rank["output"]), (&json!("three hits"), &json!(["second", 0.5])));
    assert_eq!((&fetch["error"], &fetch["output"]), (&json!("TimeoutError: no answer in 1 s"), &json!(null)));
    for span in [rank, fetch] {
        let agent = texts([&span["agent_id"], &span["agent_role"], &span["parent_agent_id"]]);
        assert_eq!(agent, ["researcher", "Researcher", "planner"]);
    }
    let result = span(run, "tool_result", "web_search");
    assert_eq!(
        (&result["output"], &result["metadata"]),
        (&json!(r#"{"hits": 3}"#), &json!({"tool_call_id": "call_1"}))
    );
    let (prompt, completion) =
        (called.prompt_tokens + used.prompt_tokens, called.completion_tokens + used.completion_tokens);
    assert_eq!(run["total_tokens"], prompt + completion);
    assert_eq!(pico(&run["total_cost"]), price(prompt, completion));

    let run = &runs["stream-agent"];
    assert_eq!(
        (run["output"].as_str(), run["spans"][0]["output"].as_str()),
        (Some("live answer to: stream this"), Some("live answer to: stream this"))
    );
    assert_eq!(run["spans"][0]["metadata"], json!({"streaming": true, "truncated": false, "capture_complete": true}));
    assert_eq!(run["total_tokens"], streamed.prompt_tokens + streamed.completion_tokens);
    assert_eq!(pico(&run["total_cost"]), price(streamed.prompt_tokens, streamed.completion_tokens));

    let run = &runs["session-agent"];
    assert_eq!((run["session_id"].as_str(), run["input"].as_str()), (Some("sess-42"), Some("raw text")));
    assert_eq!(run["output"], json!([1, 2.5, {"": "empty key"}]));
    let metadata =
        json!({"customer": {"tier": "gold"}, "attempt": 2, "note": "naïve 日本 \u{1F600}", "environment": "staging"});
    assert_eq!(run["metadata"], metadata);
    let by_hand = &run["spans"][0];
    assert_eq!((&by_hand["token_ids"], &by_hand["logprobs"]), (&json!([1, 2]), &json!([-0.1, -2.5])));
    assert_eq!(by_hand["duration_ms"], 7);
    // What the client has not priced is priced here.
    assert_eq!((by_hand["cost_source"].as_str(), pico(&by_hand["cost"])), (Some("computed"), price(1000, 500)));
    assert_eq!((run["total_tokens"].as_i64(), pico(&run["total_cost"])), (Some(1500), price(1000, 500)));

    let run = &runs["failing-agent"];
    assert_eq!(
        (run["status"].as_str(), run["error"].as_str()),
        (Some("failed"), Some("ValueError: boom: the model would not"))
    );
    assert_eq!(run["output"], json!(null));
    let error = run["spans"][0]["error"].as_str().unwrap();
    assert!(error.contains("400") && error.contains("model overloaded"), "{error}");
    assert_eq!((run["total_tokens"].as_i64(), pico(&run["total_cost"])), (Some(0), 0));

    for (filter, expected) in [
        ("environment=staging", &names[..]),
        ("status=failed", &["failing-agent"]),
        ("session_id=sess-42", &["session-agent"]),
        ("model=gpt-4o-mini", &["failing-agent", "llm-agent", "session-agent", "stream-agent", "tool-agent"]),
        ("project_id=other", &[]),
    ] {
        let list = client.get(&format!("/api/v1/traces?{filter}")).await.expect(200).json();
        let mut listed = texts(list["traces"].as_array().unwrap().iter().map(|trace| &trace["name"]));
        listed.sort_unstable();
        assert_eq!((listed.as_slice(), list["total"].as_u64()), (expected, Some(expected.len() as u64)), "{filter}");
    }
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_url_with_a_slash_at_its_end_records_and_marks_golden() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let base = format!("{}/", client.base.replace("127.0.0.1", "localhost"));
    let id = script("one_run.py", &[], &base, client, &[]).await.trim().to_owned();
    let trace = read(client, &id).await;
    assert_eq!(
        (trace["name"].as_str(), &trace["output"], &trace["golden"]),
        (Some("one-run"), &json!(1), &json!(false))
    );
    for golden in [true, false, true] {
        let said = script("mark_golden.py", &[&id, &golden.to_string()], &base, client, &[]).await;
        assert_eq!(said.trim(), "done");
        retrace.settled().await;
        assert_eq!(read(client, &id).await["golden"], golden);
    }
    let unknown = Uuid::new_v4().to_string();
    let said = script("mark_golden.py", &[&unknown, "true"], &base, client, &[]).await;
    assert_eq!(said.trim(), "mark_golden failed: HTTP 404");
    retrace.assert_exact().await;
}

/// Payloads as text: as JSON values, `1000000000000000000000000000000` and `1e30` are the same.
#[derive(Deserialize)]
struct Kept<'a> {
    #[serde(borrow)]
    input: &'a RawValue,
    #[serde(borrow)]
    output: &'a RawValue,
    name: String,
    status: String,
    span_count: u64,
    warnings: Vec<String>,
}

#[derive(Deserialize)]
struct Sent {
    id: String,
    name: Option<String>,
}

/// What the client made of odd Python values, byte for byte: none of it is strict JSON's business, all of it is kept.
#[tokio::test(flavor = "multi_thread")]
async fn odd_values_of_python_programs_are_accepted_and_kept() {
    const NOT_FINITE: &str = "held a number that is not finite, kept as null";
    let not_finite = [format!("input {NOT_FINITE}"), format!("output {NOT_FINITE}")];
    let surrogate = ["output held a lone surrogate, kept as U+FFFD".to_owned()];
    let nan_logprob = [format!("spans[2].logprobs {NOT_FINITE}")];
    let cyclic = format!(r#"{}"{{'self': {{...}}}}"{}"#, r#"{"self": "#.repeat(31), "}".repeat(31));
    // The name, the value as kept, the note of what was repaired.
    let same: &[(&str, &str, &[String])] = &[
        ("weird-nan", "null", &not_finite),
        ("weird-inf", "null", &not_finite),
        ("weird-neg_inf", "null", &not_finite),
        ("weird-bigint", "1000000000000000000000000000000", &[]),
        ("weird-u64_overflow", "18446744073709551616", &[]),
        ("weird-bytes", r#""\ufffd\ufffd\u0000abc""#, &[]),
        ("weird-set", "[1]", &[]),
        ("weird-nonstr_key", r#"{"1": "a", "None": "b", "(1, 2)": "c"}"#, &[]),
        ("weird-datetime", r#""2026-01-02T03:04:05+00:00""#, &[]),
        ("weird-decimal", r#""1.10""#, &[]),
        ("weird-uuid", r#""00000000-0000-0000-0000-000000000005""#, &[]),
        ("weird-opaque", r#""<Opaque>""#, &[]),
        ("weird-dataclass", r#"{"a": 1, "b": [1, 2]}"#, &[]),
        ("weird-exc", r#""x""#, &[]),
        ("weird-nul", r#""a\u0000b""#, &[]),
        ("weird-emoji", r#""\ud83d\ude00""#, &[]),
        ("weird-empty_key", r#"{"": 1}"#, &[]),
        ("weird-int_key_clash", r#"{"1": "b"}"#, &[]),
    ];
    let mut expected: Vec<(&str, String, String, &[String])> = same
        .iter()
        .map(|(name, value, notes)| (*name, format!(r#"{{"v": {value}}}"#), (*value).to_owned(), *notes))
        .collect();
    for (name, output, notes) in [
        ("weird-surrogate", r#""bad \ufffd half""#, &surrogate[..]),
        ("weird-cyclic", cyclic.as_str(), &[]),
        ("weird-empty-output", r#""""#, &[]),
        ("", "null", &[]),
        ("weird-none-span", "null", &nan_logprob),
    ] {
        expected.push((name, "null".to_owned(), output.to_owned(), notes));
    }
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let bodies: Vec<&str> = include_str!("sdk/weird_values.jsonl").lines().collect();
    assert_eq!(bodies.len(), expected.len());
    let mut ids = HashSet::new();
    for (body, (name, input, output, notes)) in bodies.iter().zip(&expected) {
        // As the client sends it, `NaN` and halves of surrogate pairs included.
        let strict =
            body.replace("-Infinity", "0").replace("NaN", "0").replace("Infinity", "0").replace(r"bad \ud800", "");
        let sent: Sent = serde_json::from_str(&strict).unwrap();
        assert_eq!(sent.name.unwrap_or_default(), *name);
        let posted = client.post_text("/api/v1/traces", body).await.expect(201);
        assert_eq!(
            (posted.json()["id"].as_str(), posted.json()["status"].as_str()),
            (Some(sent.id.as_str()), Some("completed"))
        );
        let answer = client.get_after(&format!("/api/v1/traces/{}", sent.id), &posted.position()).await.expect(200);
        let kept: Kept = serde_json::from_str(&answer.text).unwrap();
        assert_eq!((kept.name.as_str(), kept.status.as_str()), (*name, "completed"));
        assert_eq!((kept.input.get(), kept.output.get()), (input.as_str(), output.as_str()), "{name}");
        assert_eq!(kept.warnings, *notes, "{name}");
        assert_eq!(kept.span_count, if *name == "weird-none-span" { 3 } else { 0 }, "{name}");
        if kept.span_count == 3 {
            let spans = &answer.json()["spans"];
            assert_eq!(
                (&spans[0]["name"], &spans[0]["output"], &spans[0]["duration_ms"]),
                (&json!(""), &json!(null), &json!(0))
            );
            assert_eq!(spans[0]["error"], "E".repeat(5000));
            assert_eq!(
                (&spans[1]["name"], &spans[1]["input"], &spans[1]["ended_at"]),
                (&json!("never-ended"), &json!(0), &json!(null))
            );
            assert_eq!((&spans[2]["token_ids"], &spans[2]["logprobs"]), (&json!([1, 2]), &json!([-0.1, null])));
        }
        ids.insert(sent.id);
    }
    let list = client.get("/api/v1/traces?limit=200").await.expect(200).json();
    let listed: HashSet<String> =
        list["traces"].as_array().unwrap().iter().map(|trace| trace["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!((listed, list["total"].as_u64()), (ids, Some(23)));
    retrace.assert_exact().await;
}
