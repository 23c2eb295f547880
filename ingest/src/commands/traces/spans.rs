//! The spans of a body, and what must hold between them.

use std::collections::HashMap;

use schemas::events::{Phase, SpanType};
use schemas::{Money, ids};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::parse::{LONGEST_ID, LONGEST_NAME, ended_at};
use crate::json::{Fields, Reader};

#[derive(Debug)]
pub struct Span {
    pub id: String,
    pub phase: Phase,
    pub parent_id: Option<String>,
    pub span_type: Option<SpanType>,
    pub name: Option<String>,
    pub model: Option<String>,
    pub input: Option<String>,
    pub output: Option<String>,
    pub error: Option<String>,
    pub metadata: Option<String>,
    pub token_ids: Option<String>,
    pub logprobs: Option<String>,
    pub input_tokens: Option<i64>,
    pub output_tokens: Option<i64>,
    pub cache_read_tokens: Option<i64>,
    pub cache_write_tokens: Option<i64>,
    pub reasoning_tokens: Option<i64>,
    pub cost: Option<Money>,
    pub duration_us: Option<i64>,
    pub started_at: Option<i64>,
    pub ended_at: Option<i64>,
    pub agent_id: Option<String>,
    pub parent_agent_id: Option<String>,
    pub agent_role: Option<String>,
}

#[derive(Default)]
pub(super) struct Spans {
    pub(super) spans: Vec<Span>,
    /// The trace that the spans name, where the trace itself has no id.
    pub(super) trace_id: Option<String>,
}

pub(super) fn read(reader: &mut Reader<'_, '_>, trace_id: Option<&str>, most: usize) -> Spans {
    let Some(raw) = reader.fields.get("spans") else { return Spans::default() };
    let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(raw.get()) else {
        reader.fault("spans", "is not a list");
        return Spans::default();
    };
    if items.len() > most {
        reader.fault("spans", format_args!("has {} entries, more than {most}", items.len()));
        return Spans::default();
    }
    let mut named = trace_id.map(str::to_owned);
    let mut spans = Vec::with_capacity(items.len());
    for (at, item) in items.into_iter().enumerate() {
        let prefix = format!("spans[{at}].");
        match serde_json::from_str::<Fields<'_>>(item.get()) {
            Ok(fields) => {
                let mut reader =
                    Reader { fields, prefix, faults: &mut *reader.faults, warnings: &mut *reader.warnings };
                spans.push(begun(&mut reader, at, &mut named));
            }
            Err(_) => reader.faults.push(format!("spans[{at}] is not an object")),
        }
    }
    if let Some(at) = parent_cycle(&spans) {
        reader.faults.push(format!("spans[{at}].parent_id makes a cycle"));
    }
    Spans { spans, trace_id: named.filter(|_| trace_id.is_none()) }
}

/// A span that says what it is; one without an id gets it of its place.
fn begun(reader: &mut Reader<'_, '_>, at: usize, trace_id: &mut Option<String>) -> Span {
    belongs(reader, trace_id);
    let id = reader.id("id", ids::span_id).unwrap_or_else(|| derived_id(trace_id.as_deref(), at));
    required(reader, &BEGINNING);
    span(reader, id)
}

/// What a span says when it begins.
pub(super) const BEGINNING: [&str; 2] = ["span_type", "started_at"];

pub(super) fn required(reader: &mut Reader<'_, '_>, fields: &[&str]) {
    for field in fields {
        if reader.fields.get(field).is_none() {
            reader.fault(field, "is missing");
        }
    }
}

fn belongs(reader: &mut Reader<'_, '_>, trace_id: &mut Option<String>) {
    if let Some(own) = reader.id("trace_id", ids::trace_id) {
        match trace_id {
            Some(trace) if *trace != own => reader.fault("trace_id", "is not the id of the trace"),
            Some(_) => {}
            None => *trace_id = Some(own),
        }
    }
}

pub(super) fn span(reader: &mut Reader<'_, '_>, id: String) -> Span {
    let span_type =
        reader.one_of("span_type", SpanType::parse, &SpanType::ALL.iter().map(|t| t.as_str()).collect::<Vec<_>>());
    let started_at = reader.time("started_at");
    let ended_at = ended_at(reader, started_at);
    let usage = usage(reader);
    Span {
        id,
        phase: if ended_at.is_some() { Phase::Ended } else { Phase::Started },
        parent_id: reader.id("parent_id", ids::span_id),
        span_type,
        name: reader.name("name", LONGEST_NAME),
        model: reader.name("model", LONGEST_ID),
        input: reader.payload("input"),
        output: reader.payload("output"),
        error: reader.text("error"),
        metadata: reader.payload("metadata"),
        token_ids: reader.payload("token_ids"),
        logprobs: reader.payload("logprobs"),
        input_tokens: usage.input,
        output_tokens: usage.output,
        cache_read_tokens: usage.cache_read,
        cache_write_tokens: usage.cache_write,
        reasoning_tokens: usage.reasoning,
        cost: reader.money("cost"),
        duration_us: reader.duration("duration_ms"),
        started_at,
        ended_at,
        agent_id: reader.name("agent_id", LONGEST_ID),
        parent_agent_id: reader.name("parent_agent_id", LONGEST_ID),
        agent_role: reader.name("agent_role", LONGEST_ID),
    }
}

struct Usage {
    input: Option<i64>,
    output: Option<i64>,
    cache_read: Option<i64>,
    cache_write: Option<i64>,
    reasoning: Option<i64>,
}

/// Parts of a count are no more than it, where a body gives both.
fn usage(reader: &mut Reader<'_, '_>) -> Usage {
    let [input, output, cache_read, cache_write, reasoning] =
        ["input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens"]
            .map(|name| reader.tokens(name));
    let cached = cache_read.unwrap_or(0).saturating_add(cache_write.unwrap_or(0));
    if input.is_some_and(|input| cached > input) {
        reader.fault(
            "cache_read_tokens",
            "and `cache_write_tokens` are more than the `input_tokens` that they are part of",
        );
    }
    if output.zip(reasoning).is_some_and(|(output, reasoning)| reasoning > output) {
        reader.fault("reasoning_tokens", "are more than the `output_tokens` that they are part of");
    }
    Usage { input, output, cache_read, cache_write, reasoning }
}

/// A span without an id gets the same one when its trace is sent again.
fn derived_id(trace_id: Option<&str>, at: usize) -> String {
    match trace_id {
        Some(trace) => Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{trace}/{at}").as_bytes()).to_string(),
        None => ids::event_id().to_string(),
    }
}

/// A span that is its own ancestor, if there is one. Each span is walked once.
fn parent_cycle(spans: &[Span]) -> Option<usize> {
    let place: HashMap<&str, usize> = spans.iter().enumerate().map(|(at, span)| (span.id.as_str(), at)).collect();
    let mut walked = vec![0usize; spans.len()];
    for start in 0..spans.len() {
        let mut at = start;
        while walked[at] == 0 {
            walked[at] = start + 1;
            match spans[at].parent_id.as_deref().and_then(|parent| place.get(parent)) {
                Some(parent) => at = *parent,
                None => break,
            }
            if walked[at] == start + 1 {
                return Some(at);
            }
        }
    }
    None
}
