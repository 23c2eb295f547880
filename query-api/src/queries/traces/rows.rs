//! Rows as they are read, and the answers made of them.

use clickhouse::Row;
use serde::Deserialize;

use super::documents::{SpanOut, TraceOut, time};
use super::payloads::Payloads;
use crate::numbers::Number;

#[derive(Row, Deserialize)]
pub struct TraceRow {
    pub trace_id: String,
    pub started_at: i64,
    pub ended_at: Option<i64>,
    pub status: String,
    pub name: String,
    pub session_id: Option<String>,
    pub user_id: Option<String>,
    pub project_id: Option<String>,
    pub environment: Option<String>,
    pub tags: Vec<String>,
    pub lossy: u8,
    pub golden: u8,
    pub warnings: Vec<String>,
    pub reported_duration_us: Option<i64>,
    pub reported_tokens: Option<i64>,
    pub reported_cost: Option<i128>,
    pub span_count: u64,
    pub token_spans: u64,
    pub cost_spans: u64,
    pub tokens: i64,
    pub cost: i128,
    pub models: Vec<String>,
}

#[derive(Row, Deserialize)]
pub struct SpanRow {
    pub span_id: String,
    pub parent_id: Option<String>,
    pub span_type: String,
    pub name: String,
    pub model: Option<String>,
    pub started_at: Option<i64>,
    pub ended_at: Option<i64>,
    pub duration_us: Option<i64>,
    pub input_tokens: Option<i64>,
    pub output_tokens: Option<i64>,
    pub cache_read_tokens: Option<i64>,
    pub cache_write_tokens: Option<i64>,
    pub reasoning_tokens: Option<i64>,
    pub cost: Option<i128>,
    pub cost_source: String,
    pub agent_id: Option<String>,
    pub parent_agent_id: Option<String>,
    pub agent_role: Option<String>,
}

impl TraceRow {
    /// The spans' sum, and the client's own figure beside it; only that where the spans say none.
    pub fn total_tokens(&self) -> (i64, Option<i64>) {
        stated(self.token_spans > 0, self.tokens, self.reported_tokens)
    }

    /// As [`Self::total_tokens`], in units of money.
    pub fn total_cost(&self) -> (i128, Option<i128>) {
        stated(self.cost_spans > 0, self.cost, self.reported_cost)
    }

    /// In microseconds.
    pub fn duration(&self) -> Option<i64> {
        self.reported_duration_us.or_else(|| self.ended_at.map(|ended| ended - self.started_at))
    }

    /// With `input` and `output` only where the whole trace is asked for.
    pub fn answer(self, payloads: &mut Payloads, whole: bool) -> TraceOut {
        let id = &self.trace_id;
        let (tokens, reported_tokens) = self.total_tokens();
        let (cost, reported_cost) = self.total_cost();
        let duration = self.duration();
        TraceOut {
            input: whole.then(|| payloads.json(id, "", "input")),
            output: whole.then(|| payloads.json(id, "", "output")),
            error: payloads.text(id, "", "error"),
            metadata: payloads.json(id, "", "metadata"),
            name: self.name,
            status: self.status,
            session_id: self.session_id,
            user_id: self.user_id,
            project_id: self.project_id,
            environment: self.environment,
            tags: self.tags,
            started_at: time(self.started_at),
            ended_at: self.ended_at.map(time),
            total_tokens: tokens,
            total_cost: Number::money(cost),
            total_duration_ms: duration.map(Number::milliseconds),
            reported_total_tokens: reported_tokens,
            reported_total_cost: reported_cost.map(Number::money),
            span_count: self.span_count,
            models: self.models,
            lossy: self.lossy == 1,
            golden: self.golden == 1,
            warnings: self.warnings,
            id: self.trace_id,
        }
    }
}

/// The spans' sum where spans say it, and then the client's own figure beside it; else the client's figure.
fn stated<T: Default>(by_spans: bool, sum: T, reported: Option<T>) -> (T, Option<T>) {
    if by_spans { (sum, reported) } else { (reported.unwrap_or_default(), None) }
}

impl SpanRow {
    /// In microseconds.
    pub fn duration(&self) -> Option<i64> {
        self.duration_us.or_else(|| Some(self.ended_at? - self.started_at?))
    }

    pub fn tokens(&self) -> Option<i64> {
        let is_known = self.input_tokens.is_some() || self.output_tokens.is_some();
        is_known.then(|| self.input_tokens.unwrap_or_default().saturating_add(self.output_tokens.unwrap_or_default()))
    }

    pub fn answer(self, trace_id: &str, payloads: &mut Payloads) -> SpanOut {
        let duration = self.duration();
        let id = &self.span_id;
        SpanOut {
            input: payloads.json(trace_id, id, "input"),
            output: payloads.json(trace_id, id, "output"),
            error: payloads.text(trace_id, id, "error"),
            metadata: payloads.json(trace_id, id, "metadata"),
            token_ids: payloads.json(trace_id, id, "token_ids"),
            logprobs: payloads.json(trace_id, id, "logprobs"),
            trace_id: trace_id.to_owned(),
            parent_id: self.parent_id,
            span_type: self.span_type,
            name: self.name,
            model: self.model,
            input_tokens: self.input_tokens,
            output_tokens: self.output_tokens,
            cache_read_tokens: self.cache_read_tokens,
            cache_write_tokens: self.cache_write_tokens,
            reasoning_tokens: self.reasoning_tokens,
            cost: self.cost.map(Number::money),
            cost_source: self.cost.map(|_| self.cost_source),
            duration_ms: duration.map(Number::milliseconds),
            started_at: self.started_at.map(time),
            ended_at: self.ended_at.map(time),
            agent_id: self.agent_id,
            parent_agent_id: self.parent_agent_id,
            agent_role: self.agent_role,
            id: self.span_id,
        }
    }
}
