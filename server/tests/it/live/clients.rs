//! The published clients over their WebSocket, unpatched.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::python::Python;
use crate::harness::{Client, Retrace, eventually};
use crate::sdk::assert_whole;
use crate::sdk::fake_openai::FakeOpenAi;
use crate::sdk::python::{Program, V11, V16, script};

/// With a key as version 0.11 wants it, and 0.16 refuses.
async fn of_version_11() -> Retrace {
    Retrace::with(|settings| settings.bootstrap_api_key = settings.bootstrap_api_key.replace("rt_", "rt_live_")).await
}

fn variables<'a>(client: &'a Client, transport: &'a str) -> Vec<(&'static str, &'a str)> {
    vec![("RETRACE_API_KEY", &client.key), ("RETRACE_BASE_URL", &client.base), ("RETRACE_TRANSPORT", transport)]
}

async fn read(client: &Client, id: &str) -> Value {
    client.get(&format!("/api/v1/traces/{id}")).await.expect(200).json()
}

/// Once it has ended and all that came with its end is there.
async fn completed(retrace: &Retrace, id: &str) -> Value {
    eventually("the end of the run", async || {
        let answer = retrace.client.get(&format!("/api/v1/traces/{id}")).await;
        answer.status == 200 && answer.json()["status"] != "running"
    })
    .await;
    retrace.settled().await;
    read(&retrace.client, id).await
}

#[track_caller]
fn assert_steps(trace: &Value, steps: usize, output: usize) {
    let status = (&trace["status"], &trace["name"], &trace["input"], &trace["lossy"]);
    assert_eq!(status, (&json!("completed"), &json!("stepper"), &json!({"n": 1}), &json!(false)));
    assert_eq!(trace["output"], "x".repeat(output));
    assert_eq!(trace["span_count"], steps);
    for (number, span) in trace["spans"].as_array().unwrap().iter().enumerate() {
        assert_eq!((&span["name"], &span["output"]), (&json!(format!("step-{number}")), &json!({"done": number})));
        assert!(span["ended_at"].is_string(), "{span:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_run_over_the_socket_is_read_back_whole() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    for transport in ["ws", "auto"] {
        let llm = FakeOpenAi::start().await;
        let mut variables = variables(client, transport);
        variables.extend([("OPENAI_BASE_URL", llm.url.as_str()), ("OPENAI_API_KEY", "sk-of-tests")]);
        let printed = script("record_runs.py", &[], &variables).await;
        // All was acked before the program ended.
        retrace.settled().await;
        assert_eq!(printed.lines().count(), 6);
        for line in printed.lines() {
            let run: Value = serde_json::from_str(line).unwrap();
            assert_whole(&read(client, run["trace"]["id"].as_str().unwrap()).await, &run["trace"]);
        }
    }
    retrace.assert_exact().await;
}

async fn steps(retrace: &Retrace, sdk: &'static Python, output: usize, pause: Duration) {
    let variables = variables(&retrace.client, "auto");
    let mut program = Program::start(sdk, "steps.py", &["3", &output.to_string()], &variables).await;
    let id = program.line().await;
    for _ in 0..3 {
        program.go_on().await;
        program.line().await;
        tokio::time::sleep(pause).await;
    }
    program.go_on().await;
    program.end().await;
    let trace = completed(retrace, &id).await;
    assert_steps(&trace, 3, output);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_output_is_recorded_whole() {
    let retrace = Retrace::start().await;
    steps(&retrace, &V16, 1_500_000, Duration::ZERO).await;
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn version_11_records_its_steps_and_ends_its_runs() {
    let retrace = of_version_11().await;
    steps(&retrace, &V11, 1_000, Duration::ZERO).await;
    // Its listener is dead after the first idle second.
    steps(&retrace, &V11, 1_000, Duration::from_millis(1_500)).await;
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_goes_on_over_a_restart_and_over_a_crash() {
    let mut retrace = Retrace::start().await;
    let variables: Vec<(&str, String)> =
        variables(&retrace.client, "ws").into_iter().map(|(n, v)| (n, v.to_owned())).collect();
    let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut program = Program::start(&V16, "steps.py", &["6", "10"], &variables).await;
    let id = program.line().await;
    for step in 0..6 {
        program.go_on().await;
        program.line().await;
        match step {
            1 => retrace = retrace.restart().await,
            3 => retrace = retrace.crash().await,
            _ => {}
        }
    }
    program.go_on().await;
    program.end().await;
    let trace = completed(&retrace, &id).await;
    assert_steps(&trace, 6, 10);
    assert_eq!(retrace.client.get("/api/v1/traces?count=exact").await.json()["total"], 1);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_halt_stops_the_recording_and_not_the_program() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let mut program = Program::start(&V16, "steps.py", &["2", "10"], &variables(client, "auto")).await;
    let id = program.line().await;
    program.go_on().await;
    program.line().await;
    eventually("the first step", async || {
        let answer = client.get(&format!("/api/v1/traces/{id}")).await;
        answer.status == 200 && answer.json()["span_count"] == 1
    })
    .await;
    let reason = json!({"reason": "Budget exceeded"});
    let answer = client.post(&format!("/api/v1/traces/{id}/halt"), &reason).await.expect(200).json();
    assert_eq!(answer["halted"], 1);
    // Its listener has it within milliseconds; there is nothing to be seen of that from here.
    tokio::time::sleep(Duration::from_secs(1)).await;
    program.go_on().await;
    program.line().await;
    program.go_on().await;
    let said = program.end().await;
    assert!(said.contains("server signal halt (recording halted): Budget exceeded"), "{said}");
    retrace.settled().await;
    let trace = read(client, &id).await;
    assert_eq!((&trace["status"], &trace["error"]), (&json!("failed"), &json!("Halted: Budget exceeded")));
    assert_eq!(trace["span_count"], 1);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_is_run_by_the_client_with_the_recorded_answers() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let llm = FakeOpenAi::start().await;
    let mut variables = variables(client, "auto");
    variables.extend([
        ("OPENAI_BASE_URL", llm.url.as_str()),
        ("OPENAI_API_KEY", "sk-of-tests"),
        ("RETRACE_ALLOW_REMOTE_REPLAY", "true"),
    ]);
    let mut program = Program::start(&V16, "resumable.py", &[], &variables).await;
    let id = program.line().await;
    let original = completed(&retrace, &id).await;
    client.post(&format!("/api/v1/traces/{id}/replay"), &json!({})).await.expect(202);
    let find = format!("/api/v1/traces?name={}", "Replay:%20research-agent");
    let mut found = json!(null);
    eventually("the replay", async || {
        found = client.get(&find).await.expect(200).json()["traces"][0].clone();
        found["status"] == "completed"
    })
    .await;
    retrace.settled().await;
    let replayed = read(client, found["id"].as_str().unwrap()).await;
    assert_eq!(replayed["output"], original["output"]);
    assert_eq!((&replayed["metadata"]["_replay_of"], &replayed["metadata"]["_cassette_size"]), (&json!(id), &json!(1)));
    assert_eq!(llm.served().len(), 1, "the model was asked again");
    program.go_on().await;
    program.end().await;
    retrace.assert_exact().await;
}
