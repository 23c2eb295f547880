//! A row of the statement, which is a line of NDJSON: the shape of the API's traces and spans.

use clickhouse::{Row, RowOwned, RowRead};
use serde::{Deserialize, Serialize};

use super::columns::{Kind, SPANS, TRACES};
use super::values::{Json, Milliseconds, Money, Payload, Time};

pub trait Line: RowOwned + RowRead + Serialize + Send + 'static {
    const EXPORTED: &'static Kind;

    fn leave_payloads_out(&mut self);
}

#[derive(Row, Deserialize, Serialize)]
pub struct TraceLine {
    id: String,
    name: String,
    status: String,
    #[serde(skip_serializing_if = "Payload::is_left_out")]
    input: Payload<Json>,
    #[serde(skip_serializing_if = "Payload::is_left_out")]
    output: Payload<Json>,
    #[serde(skip_serializing_if = "Payload::is_left_out")]
    error: Payload<String>,
    #[serde(skip_serializing_if = "Payload::is_left_out")]
    metadata: Payload<Json>,
    session_id: Option<String>,
    user_id: Option<String>,
    project_id: Option<String>,
    environment: Option<String>,
    tags: Vec<String>,
    started_at: Time,
    ended_at: Option<Time>,
    total_tokens: i64,
    total_cost: Money,
    total_duration_ms: Option<Milliseconds>,
    reported_total_tokens: Option<i64>,
    reported_total_cost: Option<Money>,
    span_count: u64,
    models: Vec<String>,
    lossy: bool,
    golden: bool,
    warnings: Vec<String>,
}

#[derive(Row, Deserialize, Serialize)]
pub struct SpanLine {
    id: String,
    trace_id: String,
    parent_id: Option<String>,
    span_type: String,
    name: String,
    model: Option<String>,
    #[serde(skip_serializing_if = "Payload::is_left_out")]
    input: Payload<Json>,
    #[serde(skip_serializing_if = "Payload::is_left_out")]
    output: Payload<Json>,
    input_tokens: Option<i64>,
    output_tokens: Option<i64>,
    cache_read_tokens: Option<i64>,
    cache_write_tokens: Option<i64>,
    reasoning_tokens: Option<i64>,
    cost: Option<Money>,
    cost_source: Option<String>,
    duration_ms: Option<Milliseconds>,
    started_at: Option<Time>,
    ended_at: Option<Time>,
    #[serde(skip_serializing_if = "Payload::is_left_out")]
    error: Payload<String>,
    #[serde(skip_serializing_if = "Payload::is_left_out")]
    metadata: Payload<Json>,
    agent_id: Option<String>,
    parent_agent_id: Option<String>,
    agent_role: Option<String>,
    #[serde(skip_serializing_if = "Payload::is_left_out")]
    token_ids: Payload<Json>,
    #[serde(skip_serializing_if = "Payload::is_left_out")]
    logprobs: Payload<Json>,
}

impl Line for TraceLine {
    const EXPORTED: &'static Kind = &TRACES;

    fn leave_payloads_out(&mut self) {
        (self.input, self.output, self.metadata) = (Payload::LeftOut, Payload::LeftOut, Payload::LeftOut);
        self.error = Payload::LeftOut;
    }
}

impl Line for SpanLine {
    const EXPORTED: &'static Kind = &SPANS;

    fn leave_payloads_out(&mut self) {
        (self.input, self.output, self.metadata) = (Payload::LeftOut, Payload::LeftOut, Payload::LeftOut);
        (self.token_ids, self.logprobs) = (Payload::LeftOut, Payload::LeftOut);
        self.error = Payload::LeftOut;
    }
}

/// Appends a line. JSON that was sent over several lines has line breaks between its tokens, and only there.
pub fn write<L: Line>(line: &L, to: &mut Vec<u8>) -> serde_json::Result<()> {
    let start = to.len();
    serde_json::to_writer(&mut *to, line)?;
    for byte in &mut to[start..] {
        if matches!(byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
    to.push(b'\n');
    Ok(())
}
