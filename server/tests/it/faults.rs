//! What the product does while something under it fails: an engine, a record, a disk, the start itself.

mod command_line;
mod damaged_cache;
mod disk_full;
mod engines_down;
mod mounted;
mod poison;
mod up;

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::harness::{Answer, Client};

const TRACES: &str = "/api/v1/traces";
const KEYS: &str = "/api/v1/api-keys";

/// The same numbers are the same spans.
fn trace(id: Uuid, spans: Range<usize>) -> Value {
    let spans: Vec<Value> = spans
        .map(|n| {
            json!({"id": format!("{:016x}", n + 1), "span_type": "action", "name": format!("step {n}"),
                "started_at": "2025-11-20T10:00:00Z", "input": {"n": n}})
        })
        .collect();
    json!({"id": id, "name": "kept", "status": "completed", "started_at": "2025-11-20T10:00:00Z", "spans": spans})
}

fn path(id: Uuid) -> String {
    format!("{TRACES}/{id}")
}

/// A request that may have to be sent again.
#[derive(Clone, Debug)]
struct Request {
    method: Method,
    path: String,
    header: Option<(&'static str, String)>,
    body: Option<Value>,
}

impl Request {
    fn new(method: Method, path: impl Into<String>) -> Request {
        Request { method, path: path.into(), header: None, body: None }
    }

    fn get(path: impl Into<String>) -> Request {
        Request::new(Method::GET, path)
    }

    fn post(path: impl Into<String>, body: Value) -> Request {
        Request { body: Some(body), ..Request::new(Method::POST, path) }
    }

    fn with(self, name: &'static str, value: impl Into<String>) -> Request {
        Request { header: Some((name, value.into())), ..self }
    }

    async fn send(&self, client: &Client) -> Answer {
        let headers: Vec<(&str, &str)> = self.header.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let body = self.body.as_ref().map(|body| body.to_string().into_bytes());
        client.send(self.method.clone(), &self.path, &headers, body).await
    }

    /// Until it is told what came of it, as clients do.
    async fn until_answered(&self, client: &Client) -> Answer {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let answer = self.send(client).await;
            if answer.status != 503 {
                return answer;
            }
            assert!(Instant::now() < deadline, "{} {} stays refused: {}", self.method, self.path, answer.text);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Sent at once, each is answered by its status within the time; the longest that one took.
async fn all_answered(client: &Client, requests: &[(u16, Request)], within: Duration) -> Duration {
    let sent = requests.iter().map(|(expected, request)| async move {
        let started = Instant::now();
        let answer = request.send(client).await;
        (*expected, request, answer, started.elapsed())
    });
    let mut longest = Duration::ZERO;
    for (expected, request, answer, took) in futures::future::join_all(sent).await {
        let said = format!("{} {}: {} {} after {took:?}", request.method, request.path, answer.status, answer.text);
        assert_eq!(answer.status.as_u16(), expected, "{said}");
        assert!(took < within, "{said}");
        if expected == 503 {
            let again: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
            assert!(again >= 1 && !answer.error().is_empty(), "{said}");
        }
        longest = longest.max(took);
    }
    longest
}

async fn all_refused(client: &Client, requests: &[Request], within: Duration) -> Duration {
    let requests: Vec<_> = requests.iter().map(|request| (503, request.clone())).collect();
    all_answered(client, &requests, within).await
}

/// What `/readyz` finds wrong: the names of the checks, with what they say.
async fn wrong(client: &Client) -> Vec<(String, String)> {
    let answer = client.get("/readyz").await;
    let body = answer.json();
    let checks = body["checks"].as_object().unwrap();
    let wrong: Vec<(String, String)> = checks
        .iter()
        .filter(|(_, state)| **state != "ok")
        .map(|(name, state)| (name.clone(), state.as_str().unwrap().to_owned()))
        .collect();
    assert_eq!((answer.status == 200, body["ready"] == true), (wrong.is_empty(), wrong.is_empty()), "{}", answer.text);
    wrong
}

async fn wrong_names(client: &Client) -> Vec<String> {
    wrong(client).await.into_iter().map(|(name, _)| name).collect()
}

/// Reads one path again and again, and notes every answer that it must not have.
struct Watch {
    done: Arc<AtomicBool>,
    reading: JoinHandle<(usize, Vec<String>)>,
}

impl Watch {
    fn on(client: &Client, path: String, is_right: impl Fn(&Answer) -> bool + Send + Sync + 'static) -> Watch {
        let done = Arc::new(AtomicBool::new(false));
        let (client, ended) = (client.clone(), Arc::clone(&done));
        let reading = tokio::spawn(async move {
            let (mut answers, mut faults) = (0, Vec::new());
            while !ended.load(Ordering::Relaxed) {
                let answer = client.get(&path).await;
                answers += 1;
                if !is_right(&answer) {
                    faults.push(format!("{} {}", answer.status, answer.text));
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            (answers, faults)
        });
        Watch { done, reading }
    }

    async fn end(self) -> usize {
        self.done.store(true, Ordering::Relaxed);
        let (answers, faults) = self.reading.await.unwrap();
        assert!(faults.is_empty(), "{} of {answers} answers: {:?}", faults.len(), &faults[..faults.len().min(5)]);
        answers
    }
}
