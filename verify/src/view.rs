//! What the log means at one moment, as plain values.

use std::collections::BTreeMap;

use schemas::Money;
use schemas::events::{PayloadField, SpanType, TraceStatus};

/// The payload values of a trace or a span, as text.
pub type Cells = BTreeMap<PayloadField, String>;

#[derive(Clone, Debug, PartialEq)]
pub enum TraceState {
    Absent,
    Deleted,
    Visible(Box<TraceView>),
}

impl TraceState {
    pub fn visible(&self) -> Option<&TraceView> {
        match self {
            TraceState::Visible(view) => Some(view),
            _ => None,
        }
    }
}

/// A visible trace. Times and durations are in microseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceView {
    pub id: String,
    pub received_at: i64,
    pub own_started_at: Option<i64>,
    pub started_at: i64,
    pub ended_at: Option<i64>,
    pub status: TraceStatus,
    pub name: Option<String>,
    pub session_id: Option<String>,
    pub user_id: Option<String>,
    pub project_id: Option<String>,
    pub environment: Option<String>,
    pub tags: Vec<String>,
    pub lossy: bool,
    pub golden: bool,
    pub warnings: Vec<String>,
    pub models: Vec<String>,
    pub cells: Cells,
    pub merged_duration_us: Option<i64>,
    pub merged_tokens: Option<i64>,
    pub merged_cost: Option<Money>,
    /// How many spans carry a token count, and a cost.
    pub token_spans: u64,
    pub cost_spans: u64,
    pub span_tokens: i128,
    pub span_cost: Money,
    pub total_tokens: i128,
    pub total_cost: Money,
    pub total_duration_us: Option<i64>,
    pub reported_total_tokens: Option<i64>,
    pub reported_total_cost: Option<Money>,
    /// By `started_at` (unknown ones last), then by id.
    pub spans: Vec<SpanView>,
    pub feedback: BTreeMap<String, FeedbackView>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct SpanView {
    pub id: String,
    pub parent_id: Option<String>,
    pub span_type: Option<SpanType>,
    pub name: Option<String>,
    pub model: Option<String>,
    pub started_at: Option<i64>,
    pub ended_at: Option<i64>,
    pub merged_duration_us: Option<i64>,
    pub duration_us: Option<i64>,
    pub input_tokens: Option<i64>,
    pub output_tokens: Option<i64>,
    pub merged_cost: Option<Money>,
    pub cost: Option<Money>,
    /// `reported`, `computed`, or none where there is no cost.
    pub cost_source: Option<&'static str>,
    /// The price tables that the last event about the span names.
    pub price_table: String,
    pub agent_id: Option<String>,
    pub parent_agent_id: Option<String>,
    pub agent_role: Option<String>,
    pub cells: Cells,
}

#[derive(Clone, Debug, PartialEq)]
pub struct FeedbackView {
    pub value: i32,
    pub note: Option<String>,
    pub created_at: i64,
    pub updated_at: i64,
}
