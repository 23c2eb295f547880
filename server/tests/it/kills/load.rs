//! Clients that record traces, send again until they are told that it was accepted, and look at what they have written.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Answer, Client, Random};

const TRACES: &str = "/api/v1/traces";
/// Longer than any bound of the product: no answer by then is a fault.
const NO_ANSWER: Duration = Duration::from_secs(45);
/// Longer than any engine takes to come back.
const REFUSED_FOR: Duration = Duration::from_secs(120);
/// Makes a value that goes ahead in chunks.
const LARGE: usize = 300_000;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Certainty {
    Acknowledged,
    /// Sent, and the client went away before it was told.
    Unknown,
}

#[derive(Default)]
pub struct Recorded {
    /// What its contents are drawn from: its id, or the key that it was sent under.
    of: String,
    /// By span id: where its content is drawn from.
    pub spans: BTreeMap<String, (usize, Certainty)>,
    /// What the newest acknowledged patch said.
    pub output: Option<String>,
    pub deleted: bool,
    pub acknowledged: bool,
}

/// What a span must be read as.
fn content(of: &str, span: &str, size: usize) -> Value {
    json!(format!("{of} {span} ").repeat(1 + size / 70))
}

fn span(of: &str, id: &str, size: usize) -> Value {
    json!({"id": id, "span_type": "tool_call", "name": format!("name of {id}"), "started_at": "2025-11-20T10:00:00Z",
        "ended_at": "2025-11-20T10:00:01Z", "input": {"of": content(of, id, size)}, "output": id})
}

#[derive(Default)]
pub struct Ledger {
    pub traces: BTreeMap<String, Recorded>,
    /// What was decided, by id.
    pub skills: BTreeMap<String, Decided>,
    pub violations: Vec<String>,
    requests: usize,
    sent_again: usize,
    looks: usize,
    slowest: Duration,
}

impl Ledger {
    pub fn merge(&mut self, other: Ledger) {
        self.traces.extend(other.traces);
        self.skills.extend(other.skills);
        self.violations.extend(other.violations);
        self.requests += other.requests;
        self.sent_again += other.sent_again;
        self.looks += other.looks;
        self.slowest = self.slowest.max(other.slowest);
    }

    pub fn acknowledged_spans(&self) -> usize {
        let certain = |recorded: &Recorded| {
            recorded.spans.values().filter(|(_, certainty)| *certainty == Certainty::Acknowledged).count()
        };
        self.traces.values().map(certain).sum()
    }

    pub fn first_violations(&self) -> Vec<&String> {
        self.violations.iter().take(10).collect()
    }
}

impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let deleted = self.traces.values().filter(|recorded| recorded.deleted).count();
        write!(
            f,
            "{} traces ({deleted} deleted), {} spans acknowledged, ",
            self.traces.len(),
            self.acknowledged_spans()
        )?;
        let versions: usize = self.skills.values().map(|skill| skill.descriptions.len()).sum();
        write!(f, "{} skills with {versions} versions, ", self.skills.len())?;
        write!(f, "{} writes, sent again {} times, {} looks, ", self.requests, self.sent_again, self.looks)?;
        write!(f, "the slowest write took {:?}", self.slowest)
    }
}

/// What a trace must be read as, beside what may be.
pub fn differs(id: &str, recorded: &Recorded, read: &Value) -> Option<String> {
    let mut seen = BTreeSet::new();
    for span in read["spans"].as_array().unwrap() {
        let span_id = span["id"].as_str().unwrap();
        let Some((size, _)) = recorded.spans.get(span_id) else {
            return Some(format!("{id}: {span_id} was never sent"));
        };
        if !seen.insert(span_id) {
            return Some(format!("{id}: {span_id} is there twice"));
        }
        let whole = span["name"] == json!(format!("name of {span_id}"))
            && span["input"]["of"] == content(&recorded.of, span_id, *size)
            && span["output"] == span_id;
        if !whole {
            let text: String = span.to_string().chars().take(400).collect();
            return Some(format!("{id}: {span_id} is not what was sent: {text}"));
        }
    }
    let missing = recorded
        .spans
        .iter()
        .find(|(id, (_, certainty))| *certainty == Certainty::Acknowledged && !seen.contains(id.as_str()));
    if let Some((span_id, _)) = missing {
        return Some(format!("{id}: {span_id} was acknowledged and is not there"));
    }
    (read["span_count"] != seen.len()).then(|| format!("{id}: counts {} spans, has {}", read["span_count"], seen.len()))
}

/// What a skill must be read as.
#[derive(Default)]
pub struct Decided {
    /// Of each version that was answered, the first one first.
    pub descriptions: Vec<String>,
}

pub struct Writer {
    ingest: Client,
    query_api: Client,
    random: Random,
    /// How many of a hundred traces it deletes, which waits for the projections.
    deletes: usize,
    done: Arc<AtomicBool>,
    ledger: Ledger,
}

impl Writer {
    pub fn new(ingest: Client, query_api: Client, random: Random, deletes: usize, done: Arc<AtomicBool>) -> Writer {
        Writer { ingest, query_api, random, deletes, done, ledger: Ledger::default() }
    }

    /// One trace after the other until it is time to end.
    pub async fn run(mut self) -> Ledger {
        while !self.done.load(Ordering::Relaxed) {
            if self.random.percent(5) {
                self.record_under_a_key().await;
                continue;
            }
            if self.random.percent(10) {
                self.decide().await;
                continue;
            }
            let id = Uuid::new_v4().to_string();
            let mut recorded = Recorded { of: id.clone(), ..Recorded::default() };
            self.record(&id, &mut recorded).await;
            self.ledger.traces.insert(id, recorded);
        }
        self.ledger
    }

    /// The server chooses the id: that it is one however often it is sent is what the key is for.
    async fn record_under_a_key(&mut self) {
        let (key, span_id) = (Uuid::new_v4().to_string(), Uuid::new_v4().to_string());
        let body = json!({"name": "keyed", "spans": [span(&key, &span_id, 100)]});
        let mut ids = BTreeSet::new();
        for _ in 0..2 {
            let headers = [("idempotency-key", key.as_str())];
            let answered = self.until_answered(Method::POST, TRACES, &headers, Some(&body), &[201]).await;
            ids.extend(answered.map(|(answer, _)| answer.json()["id"].as_str().unwrap().to_owned()));
        }
        if ids.len() > 1 {
            self.ledger.violations.push(format!("the key {key} made {ids:?}"));
        }
        for id in ids {
            let spans = BTreeMap::from([(span_id.clone(), (100, Certainty::Acknowledged))]);
            let recorded = Recorded { of: key.clone(), spans, acknowledged: true, ..Recorded::default() };
            self.ledger.traces.insert(id, recorded);
        }
    }

    /// A skill that nobody else changes, each change under a key: however often it is sent, it makes one version.
    async fn decide(&mut self) {
        const SKILLS: &str = "/api/v1/skills";
        let (mut skill, mut path) = (Decided::default(), SKILLS.to_owned());
        for version in 1..=self.random.between(1, 5) {
            let key = Uuid::new_v4().to_string();
            let (method, right) = if version == 1 { (Method::POST, 201) } else { (Method::PATCH, 200) };
            let body = json!({"name": "killed", "description": key});
            let headers = [("idempotency-key", key.as_str())];
            let Some((answer, _)) = self.until_answered(method, &path, &headers, Some(&body), &[right]).await else {
                break;
            };
            let answer = answer.json();
            if answer["version"] != version || answer["description"] != key {
                self.ledger.violations.push(format!("{path}: version {version} is answered as {answer}"));
            }
            path = format!("{SKILLS}/{}", answer["id"].as_str().unwrap());
            skill.descriptions.push(key);
        }
        let id = path.rsplit('/').next().unwrap_or_default().to_owned();
        if !skill.descriptions.is_empty() {
            self.ledger.skills.insert(id, skill);
        }
    }

    async fn record(&mut self, id: &str, recorded: &mut Recorded) {
        for post in 0..self.random.between(1, 4) {
            tokio::time::sleep(Duration::from_millis(self.random.between(5, 40) as u64)).await;
            let new = self.random.between(1, 12);
            let mut ids: Vec<String> = (0..new).map(|_| Uuid::new_v4().to_string()).collect();
            // Real clients send a span again when it ends.
            let again = self.random.below(3).min(recorded.spans.len());
            ids.extend(recorded.spans.keys().take(again).cloned());
            for span in &ids[..new] {
                let size = if self.random.below(300) == 0 { LARGE } else { self.random.below(400) };
                recorded.spans.insert(span.clone(), (size, Certainty::Unknown));
            }
            let spans: Vec<Value> = ids.iter().map(|span_id| span(id, span_id, recorded.spans[span_id].0)).collect();
            let status = self.random.pick(&["running", "completed"]);
            let body = json!({"id": id, "name": "killed", "status": status, "spans": spans});
            if self.random.percent(3) {
                return self.abandon(body).await;
            }
            let Some((answer, _)) = self.until_answered(Method::POST, TRACES, &[], Some(&body), &[201]).await else {
                return;
            };
            recorded.acknowledged = true;
            for span in &ids {
                recorded.spans.get_mut(span).unwrap().1 = Certainty::Acknowledged;
            }
            if self.random.percent(25) {
                let position = self.random.percent(70).then(|| answer.position());
                self.look(id, recorded, position).await;
            }
            if self.random.percent(20) {
                let output = format!("{id} after post {post}");
                let (path, body) = (format!("{TRACES}/{id}"), json!({"output": output, "status": "completed"}));
                let patched = self.until_answered(Method::PATCH, &path, &[], Some(&body), &[200]).await;
                recorded.output = patched.map(|_| output).or(recorded.output.take());
            }
        }
        if self.random.percent(self.deletes) {
            self.delete(id, recorded).await;
        }
    }

    async fn delete(&mut self, id: &str, recorded: &mut Recorded) {
        let path = format!("{TRACES}/{id}");
        let Some((answer, lost)) = self.until_answered(Method::DELETE, &path, &[], None, &[204, 404]).await else {
            return;
        };
        if answer.status == 404 && !lost {
            self.ledger.violations.push(format!("{id} was acknowledged, and its deletion answered: {}", answer.text));
        }
        recorded.deleted = true;
        let position = answer.headers.get("x-retrace-position").map(|value| value.to_str().unwrap().to_owned());
        self.look(id, recorded, position).await;
    }

    /// The client ends before it has its answer.
    async fn abandon(&mut self, body: Value) {
        let wait = Duration::from_millis(self.random.below(8) as u64);
        let body = Some(body.to_string().into_bytes());
        let _ = tokio::time::timeout(wait, self.ingest.try_send(Method::POST, TRACES, &[], body)).await;
    }

    /// What was acknowledged is there, or cannot be read at the moment. Without a position only the trace must be.
    async fn look(&mut self, id: &str, recorded: &Recorded, position: Option<String>) {
        self.ledger.looks += 1;
        let headers: Vec<(&str, &str)> =
            position.iter().map(|position| ("x-retrace-after", position.as_str())).collect();
        let path = format!("{TRACES}/{id}");
        let asked = self.query_api.try_send(Method::GET, &path, &headers, None);
        let answer = match tokio::time::timeout(NO_ANSWER, asked).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => return,
            Err(_) => return self.ledger.violations.push(format!("GET {path}: no answer in {NO_ANSWER:?}")),
        };
        let status = answer.status.as_u16();
        let fault = match status {
            503 => None,
            404 if recorded.deleted => None,
            200 if recorded.deleted => position.as_ref().map(|_| "it is deleted".to_owned()),
            200 if position.is_some() => differs(id, recorded, &answer.json()),
            200 => None,
            _ => Some(answer.text.clone()),
        };
        self.ledger.violations.extend(fault.map(|fault| format!("GET {path} after {position:?}: {status} {fault}")));
    }

    /// Sends again until it is told what came of it: the answer, and whether an earlier try may have been accepted.
    async fn until_answered(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
        right: &[u16],
    ) -> Option<(Answer, bool)> {
        let started = Instant::now();
        let mut lost = false;
        self.ledger.requests += 1;
        while started.elapsed() < REFUSED_FOR {
            let body = body.map(|body| body.to_string().into_bytes());
            let sent = self.ingest.try_send(method.clone(), path, headers, body);
            match tokio::time::timeout(NO_ANSWER, sent).await {
                Ok(Ok(answer)) if right.contains(&answer.status.as_u16()) => {
                    self.ledger.slowest = self.ledger.slowest.max(started.elapsed());
                    return Some((answer, lost));
                }
                // Under a key whose first try was cut off, a conflict as well.
                Ok(Ok(answer)) if answer.status == 503 || (answer.status == 409 && !headers.is_empty()) => {
                    lost |= answer.error().contains("Kafka");
                    if !answer.headers.contains_key("retry-after") {
                        let said = format!("{method} {path}: {} without Retry-After", answer.status);
                        self.ledger.violations.push(said);
                    }
                }
                Ok(Ok(answer)) => {
                    self.ledger.violations.push(format!("{method} {path}: {} {}", answer.status, answer.text));
                    return None;
                }
                // Nobody listens, or the answer was lost.
                Ok(Err(_)) => lost = true,
                Err(_) => {
                    lost = true;
                    self.ledger.violations.push(format!("{method} {path}: no answer in {NO_ANSWER:?}"));
                }
            }
            self.ledger.sent_again += 1;
            tokio::time::sleep(Duration::from_millis(self.random.between(20, 300) as u64)).await;
        }
        self.ledger.violations.push(format!("{method} {path}: not accepted within {REFUSED_FOR:?}"));
        None
    }
}
