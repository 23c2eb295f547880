//! The answers. Payloads are the JSON text that was sent; money and durations are exact decimals.

use runtime::http::micros_rfc3339;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::numbers::Number;

/// JSON as it was sent.
#[derive(Serialize)]
#[serde(transparent)]
pub struct Payload(pub Box<RawValue>);

#[derive(Serialize, ToSchema)]
pub struct TraceOut {
    pub id: String,
    pub name: String,
    /// running, completed or failed
    pub status: String,
    /// Not part of lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<serde_json::Value>)]
    pub input: Option<Option<Payload>>,
    /// Not part of lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<serde_json::Value>)]
    pub output: Option<Option<Payload>>,
    pub error: Option<String>,
    #[schema(value_type = serde_json::Value)]
    pub metadata: Option<Payload>,
    pub session_id: Option<String>,
    pub user_id: Option<String>,
    pub project_id: Option<String>,
    pub environment: Option<String>,
    pub tags: Vec<String>,
    pub started_at: String,
    pub ended_at: Option<String>,
    pub total_tokens: i64,
    #[schema(value_type = f64)]
    pub total_cost: Number,
    #[schema(value_type = Option<f64>)]
    pub total_duration_ms: Option<Number>,
    /// What the client said, where the spans say it themselves.
    pub reported_total_tokens: Option<i64>,
    #[schema(value_type = Option<f64>)]
    pub reported_total_cost: Option<Number>,
    pub span_count: u64,
    pub models: Vec<String>,
    /// The client dropped something before it arrived.
    pub lossy: bool,
    pub golden: bool,
    /// What was repaired on arrival.
    pub warnings: Vec<String>,
}

#[derive(Serialize, ToSchema)]
pub struct TraceWithSpans {
    #[serde(flatten)]
    pub trace: TraceOut,
    /// Absent where they are not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spans: Option<Vec<SpanOut>>,
}

#[derive(Serialize, ToSchema)]
pub struct SpanOut {
    pub id: String,
    pub trace_id: String,
    pub parent_id: Option<String>,
    pub span_type: String,
    pub name: String,
    pub model: Option<String>,
    #[schema(value_type = serde_json::Value)]
    pub input: Option<Payload>,
    #[schema(value_type = serde_json::Value)]
    pub output: Option<Payload>,
    pub input_tokens: Option<i64>,
    pub output_tokens: Option<i64>,
    /// Of the input tokens: read from the provider's cache
    pub cache_read_tokens: Option<i64>,
    /// Of the input tokens: written to the provider's cache
    pub cache_write_tokens: Option<i64>,
    /// Of the output tokens: spent on reasoning
    pub reasoning_tokens: Option<i64>,
    #[schema(value_type = Option<f64>)]
    pub cost: Option<Number>,
    /// `reported` by the client, or `computed` from tokens and the price table
    pub cost_source: Option<String>,
    #[schema(value_type = Option<f64>)]
    pub duration_ms: Option<Number>,
    pub started_at: Option<String>,
    pub ended_at: Option<String>,
    pub error: Option<String>,
    #[schema(value_type = serde_json::Value)]
    pub metadata: Option<Payload>,
    pub agent_id: Option<String>,
    pub parent_agent_id: Option<String>,
    pub agent_role: Option<String>,
    #[schema(value_type = serde_json::Value)]
    pub token_ids: Option<Payload>,
    #[schema(value_type = serde_json::Value)]
    pub logprobs: Option<Payload>,
}

#[derive(Serialize, ToSchema)]
pub struct TraceList {
    pub traces: Vec<TraceOut>,
    pub total: u64,
    /// `at_least` where counting stopped; ask with `count=exact`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_is: Option<&'static str>,
    pub limit: u64,
    pub offset: u64,
    pub next_cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct SpanList {
    pub spans: Vec<SpanOut>,
    pub total: u64,
    pub limit: u64,
    pub next_cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct SpanPlace {
    pub trace_id: String,
}

pub fn time(micros: i64) -> String {
    micros_rfc3339(micros)
}
