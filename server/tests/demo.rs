//! `retrace demo` in front of a server that only remembers: what it sends, how often, and to whom it shows the secret.
//! Needs no engines.
#![expect(clippy::unwrap_used, reason = "a test, helpers included")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use clap::Parser;
use retrace_server::cli::{Cli, Command};
use retrace_server::commands::demo;
use runtime::Settings;
use serde_json::{Value, json};

/// Every so many writes of a trace one is refused.
const REFUSED: usize = 50;

#[derive(Default)]
struct Seen {
    writes: usize,
    traces: BTreeMap<String, Bytes>,
    /// Traces that were sent with another body than before.
    changed: usize,
    verdicts: BTreeMap<String, usize>,
    golden: BTreeSet<String>,
    secrets: BTreeSet<Option<String>>,
}

type Shared = Arc<Mutex<Seen>>;

async fn trace(State(seen): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let mut seen = seen.lock().unwrap();
    seen.writes += 1;
    if seen.writes.is_multiple_of(REFUSED) {
        return (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "0")]).into_response();
    }
    let id = serde_json::from_slice::<Value>(&body).unwrap()["id"].as_str().unwrap().to_owned();
    seen.secrets.insert(headers.get("x-retrace-internal").map(|value| value.to_str().unwrap().to_owned()));
    if seen.traces.insert(id, body.clone()).is_some_and(|before| before != body) {
        seen.changed += 1;
    }
    (StatusCode::CREATED, [("x-retrace-position", "p")]).into_response()
}

async fn list(State(seen): State<Shared>) -> Json<Value> {
    Json(json!({"total": seen.lock().unwrap().traces.len()}))
}

async fn verdict(State(seen): State<Shared>, Path(id): Path<String>, body: Bytes) -> Response {
    let value = serde_json::from_slice::<Value>(&body).unwrap()["value"].as_i64().unwrap();
    assert!(value.abs() == 1);
    let mut seen = seen.lock().unwrap();
    assert!(seen.traces.contains_key(&id));
    *seen.verdicts.entry(id).or_default() += 1;
    (StatusCode::CREATED, [("x-retrace-position", "p")]).into_response()
}

async fn verdicts(State(seen): State<Shared>, Path(id): Path<String>) -> Json<Value> {
    Json(json!({"feedback": seen.lock().unwrap().verdicts.get(&id)}))
}

async fn golden(State(seen): State<Shared>, Path(id): Path<String>) -> Response {
    seen.lock().unwrap().golden.insert(id);
    [("x-retrace-position", "p")].into_response()
}

/// The address of a server, and what it sees.
async fn server() -> (String, Shared) {
    let seen = Shared::default();
    let router = Router::new()
        .route("/api/v1/traces", post(trace).get(list))
        .route("/api/v1/traces/{id}/feedback", get(verdicts).post(verdict))
        .route("/api/v1/traces/{id}/golden", post(golden))
        .with_state(Arc::clone(&seen));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, seen)
}

async fn run(settings: &Settings, arguments: &[&str]) -> anyhow::Result<()> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let words = ["retrace", "demo", "--key", "rt_x", "--traces", "900"].iter().chain(arguments);
    let Command::Demo(options) = Cli::parse_from(words).command else { panic!("another command") };
    demo::run(settings, options).await
}

fn settings(listen: &str) -> Settings {
    Settings { listen: listen.to_owned(), secret: "between us".to_owned(), ..Settings::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_on_the_same_day_changes_nothing() {
    let (address, seen) = server().await;
    run(&settings(&address), &[]).await.unwrap();
    let first = {
        let seen = seen.lock().unwrap();
        assert!(seen.traces.len() > 700 && !seen.verdicts.is_empty() && !seen.golden.is_empty());
        (seen.traces.clone(), seen.verdicts.clone())
    };
    run(&settings(&address), &["--connections", "3"]).await.unwrap();
    let seen = seen.lock().unwrap();
    assert_eq!(seen.changed, 0);
    // Midnight or the next hour may have come meanwhile: nothing that was there is touched all the same.
    assert!(first.0.iter().all(|(id, body)| seen.traces[id] == *body));
    assert!(seen.verdicts.values().all(|times| *times == 1));
    assert!(first.1.keys().all(|id| seen.verdicts.contains_key(id)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_secret_is_shown_to_the_server_of_the_settings_and_to_no_other() {
    let (address, ours) = server().await;
    run(&settings(&address), &[]).await.unwrap();
    assert_eq!(ours.lock().unwrap().secrets, BTreeSet::from([Some("between us".to_owned())]));
    let (other, theirs) = server().await;
    run(&settings(&address), &["--url", &format!("http://{other}/")]).await.unwrap();
    assert_eq!(theirs.lock().unwrap().secrets, BTreeSet::from([None]));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_trace_is_of_the_past_and_says_that_it_is_a_demo() {
    let (address, seen) = server().await;
    run(&settings(&address), &[]).await.unwrap();
    let now = time::OffsetDateTime::now_utc();
    for body in seen.lock().unwrap().traces.values() {
        let trace: Value = serde_json::from_slice(body).unwrap();
        let ended = trace["ended_at"].as_str().or(trace["started_at"].as_str()).unwrap();
        assert!(time::OffsetDateTime::parse(ended, &time::format_description::well_known::Rfc3339).unwrap() <= now);
        assert_eq!(trace["tags"][0], "demo");
    }
}

#[tokio::test]
async fn where_nobody_listens_it_says_so() {
    let fault = run(&settings("127.0.0.1:1"), &[]).await.unwrap_err().to_string();
    assert!(fault.starts_with("http://localhost:1 is not reachable"), "{fault}");
}
