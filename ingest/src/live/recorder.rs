//! What waits of a connection, into the log: all of it at once, while the next comes in. An ack says that it is durable.

use std::collections::HashMap;
use std::time::Instant;

use axum::http::StatusCode;
use futures::future::join_all;
use lru::LruCache;
use runtime::Problem;
use runtime::metrics::METRICS;
use schemas::events::Source;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use super::auth;
use super::client::Client;
use super::inbox::{Inbox, Item, Refusal, Waiting};
use super::replies::{self, Token};
use crate::append::Caller;
use crate::commands::traces::frames::{Kind, Said, together};
use crate::state::AppState;
use crate::usage::Adds;

/// Spans of one connection whose ends may leave out their trace.
const MOST_BEGUN: usize = 1_024;
/// Questions about other spans that are under way at once.
const MOST_ASKED: usize = 4;

pub struct Recorder<'a> {
    state: &'a AppState,
    caller: &'a auth::Caller,
    client: &'a Client,
    inbox: &'a Inbox,
    /// Span → trace, until an end names both.
    begun: LruCache<String, String>,
}

#[derive(Deserialize)]
struct Place {
    trace_id: String,
}

impl<'a> Recorder<'a> {
    pub fn new(state: &'a AppState, caller: &'a auth::Caller, client: &'a Client, inbox: &'a Inbox) -> Recorder<'a> {
        // What is bounded by its own size sets its memory aside at once.
        Recorder { state, caller, client, inbox, begun: LruCache::unbounded() }
    }

    /// Until nothing comes any more, or nothing can be recorded: then it cancels `failed`, and what was not acked comes
    /// again with the client.
    pub async fn run(&mut self, failed: &CancellationToken) {
        while let Some(batch) = self.inbox.take().await {
            let (frames, bytes) = (batch.len(), batch.iter().map(Item::bytes).sum());
            self.take(batch, failed).await;
            self.inbox.done(frames, bytes);
            if failed.is_cancelled() {
                return;
            }
        }
    }

    async fn take(&mut self, items: Vec<Item>, failed: &CancellationToken) {
        let mut batch = Vec::with_capacity(items.len());
        for item in items {
            match item {
                Item::Said(mut waiting) => {
                    self.place(&mut waiting.said);
                    batch.push(waiting);
                }
                Item::Refused(refusal) => self.refuse(refusal).await,
            }
        }
        let accepted = self.within_plan(batch).await;
        let (known, orphans): (Vec<Waiting>, Vec<Waiting>) =
            accepted.into_iter().partition(|waiting| waiting.said.trace_id.is_some());
        // The others do not wait for the answers that orphans need.
        self.append(known, failed).await;
        if !orphans.is_empty() && !failed.is_cancelled() {
            let found = self.find(orphans).await;
            self.append(found, failed).await;
        }
    }

    /// What will never be recorded is acked as well: its sender would send it again for ever.
    async fn refuse(&self, Refusal { why, outcome, token }: Refusal) {
        count(outcome, 1);
        self.client.tell(replies::error(&why)).await;
        self.ack(&token).await;
    }

    /// By what this connection has said before.
    fn place(&mut self, said: &mut Said) {
        let Some(span) = said.span_id().map(str::to_owned) else { return };
        match &said.trace_id {
            Some(trace) if said.kind == Kind::SpanStarted => {
                self.begun.put(span, trace.clone());
                if self.begun.len() > MOST_BEGUN {
                    self.begun.pop_lru();
                }
            }
            // Who names the trace will do so again.
            Some(_) => drop(self.begun.pop(&span)),
            None => said.trace_id = self.begun.get(&span).cloned(),
        }
    }

    /// What the plan has room for: what ends something that was begun always is.
    async fn within_plan(&self, batch: Vec<Waiting>) -> Vec<Waiting> {
        let adds = |waiting: &Waiting| match waiting.said.kind {
            Kind::TraceEnded => false,
            Kind::SpanEnded => !waiting.said.trace_id.as_deref().is_some_and(|trace| self.client.records(trace)),
            Kind::TraceStarted | Kind::SpanStarted => true,
        };
        if !batch.iter().any(adds) {
            return batch;
        }
        let within = self.state.within_plan(&self.appending(), &self.caller.credentials, Adds::TracesAndSpans).await;
        let Err(problem) = within else { return batch };
        self.client.tell(replies::error(&problem.message)).await;
        let (refused, rest): (Vec<Waiting>, Vec<Waiting>) = batch.into_iter().partition(adds);
        count("over_plan", refused.len());
        for waiting in refused {
            self.ack(&waiting.token).await;
        }
        rest
    }

    /// The traces of spans that began elsewhere, or before.
    async fn find(&self, orphans: Vec<Waiting>) -> Vec<Waiting> {
        let mut places = Vec::with_capacity(orphans.len());
        for some in orphans.chunks(MOST_ASKED) {
            places.extend(join_all(some.iter().map(|waiting| self.place_of(&waiting.said))).await);
        }
        let mut found = Vec::new();
        for (mut waiting, place) in orphans.into_iter().zip(places) {
            match place {
                Ok(place) => {
                    waiting.said.trace_id = Some(place.trace_id);
                    found.push(waiting);
                }
                Err(problem) => {
                    count("orphan", 1);
                    let span = waiting.said.span_id().unwrap_or_default();
                    let text = format!("span_ended: trace_id is missing, and of the span {span}: {}", problem.message);
                    self.client.tell(replies::error(&text)).await;
                    if problem.status == StatusCode::NOT_FOUND {
                        self.ack(&waiting.token).await;
                    }
                }
            }
        }
        found
    }

    async fn place_of(&self, said: &Said) -> Result<Place, Problem> {
        let path = format!("/api/v1/internal/spans/{}", said.span_id().unwrap_or_default());
        let (credentials, names) = (&self.caller.credentials, &self.caller.names);
        self.state.ask.read(credentials, &names.id, &path, "Span").await
    }

    async fn append(&self, batch: Vec<Waiting>, failed: &CancellationToken) {
        let mut traces: Vec<(String, Vec<Waiting>)> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        for waiting in batch {
            let Some(trace) = waiting.said.trace_id.clone() else { continue };
            let place = *places.entry(trace).or_insert_with_key(|trace| {
                traces.push((trace.clone(), Vec::new()));
                traces.len() - 1
            });
            traces[place].1.push(waiting);
        }
        join_all(traces.into_iter().map(|(trace, frames)| self.append_trace(trace, frames, failed))).await;
    }

    async fn append_trace(&self, trace: String, frames: Vec<Waiting>, failed: &CancellationToken) {
        let mut said = Vec::with_capacity(frames.len());
        // With its share, which it holds until it is durable.
        let mut sent = Vec::with_capacity(frames.len());
        for Waiting { said: one, token, read_at, share, .. } in frames {
            self.client.heard(&one);
            said.push(*one);
            sent.push((token, read_at, share));
        }
        let (caller, ip) = (self.appending(), self.caller.ip);
        match self.state.record(&caller, ip, Source::Stream, &trace, together(said)).await {
            Ok(_) => {
                count("recorded", sent.len());
                for (token, read_at, _) in &sent {
                    durable(*read_at);
                    self.ack(token).await;
                }
            }
            Err(problem) => {
                count("failed", sent.len());
                self.client.tell(replies::error(&problem.message)).await;
                if problem.status == StatusCode::SERVICE_UNAVAILABLE {
                    failed.cancel();
                    return;
                }
                for (token, ..) in &sent {
                    self.ack(token).await;
                }
            }
        }
    }

    async fn ack(&self, token: &Token) {
        if let Some(ack) = token.ack().filter(|_| self.client.acks) {
            self.client.tell(ack).await;
        }
    }

    fn appending(&self) -> Caller<'_> {
        Caller { principal: &self.caller.principal, names: &self.caller.names }
    }
}

fn count(outcome: &str, frames: usize) {
    METRICS.live_frames.with_label_values(&[outcome]).inc_by(frames as u64);
}

fn durable(read_at: Instant) {
    METRICS.live_ack_seconds.with_label_values::<&str>(&[]).observe(read_at.elapsed().as_secs_f64());
}
