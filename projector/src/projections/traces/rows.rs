//! The rows of the tables. A row is the whole fold of its key up to `version`; it is also the state that the fold goes on
//! from, so that there is no second form of it.

use clickhouse::Row;
use serde::{Deserialize, Serialize};

pub use crate::store::CheckpointRow;

#[derive(Clone, Debug, Default, PartialEq, Row, Serialize, Deserialize)]
pub struct TraceRow {
    pub tenant: String,
    pub trace_id: String,
    pub version: u64,
    pub is_deleted: u8,
    pub partition: u16,
    pub ended_mask: u32,
    pub created_version: u64,
    pub received_at: i64,
    pub own_started_at: Option<i64>,
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
    pub failed_spans: u64,
    pub token_spans: u64,
    pub cost_spans: u64,
    pub tokens: i64,
    pub cost: i128,
    pub models: Vec<String>,
    /// Of its own error ([`insights::failures::signature`]).
    pub error_signature: String,
    /// Its own, else that of its first span with an error.
    pub failure: String,
}

#[derive(Clone, Debug, Default, PartialEq, Row, Serialize, Deserialize)]
pub struct ListRow {
    pub tenant: String,
    pub started_at: i64,
    pub trace_id: String,
    pub version: u64,
    pub is_deleted: u8,
    pub status: String,
    pub name: String,
    pub session_id: Option<String>,
    pub user_id: Option<String>,
    pub project_id: Option<String>,
    pub environment: Option<String>,
    pub tags: Vec<String>,
    pub models: Vec<String>,
    pub total_tokens: i64,
    pub total_cost: i128,
    pub total_duration_us: i64,
    /// Of the histograms by which distributions are compared ([`insights::histogram`]).
    pub tokens_bucket: u16,
    pub cost_bucket: u16,
    pub duration_bucket: u16,
    /// Of a failed trace.
    pub failure: String,
}

/// A total per (bucket, partition): it is read as the sum over partitions.
#[derive(Clone, Debug, Default, PartialEq, Row, Serialize, Deserialize)]
pub struct CountRow {
    pub tenant: String,
    pub day: u16,
    pub project_id: String,
    pub environment: String,
    pub status: String,
    pub partition: u16,
    pub version: u64,
    pub traces: i64,
    pub spans: i64,
    pub tokens: i64,
    pub cost: i128,
}

/// What was ingested, by the UTC day of the event. Only grows: deletions and new prices change nothing in it.
#[derive(Clone, Debug, Default, PartialEq, Row, Serialize, Deserialize)]
pub struct UsageRow {
    pub tenant: String,
    pub day: u16,
    pub partition: u16,
    pub version: u64,
    pub traces: i64,
    pub spans: i64,
    pub tokens: i64,
    pub cost: i128,
    pub ai_requests: i64,
}

/// What spans say that they were made with, by version of a prompt.
#[derive(Clone, Debug, Default, PartialEq, Row, Serialize, Deserialize)]
pub struct PromptUseRow {
    pub tenant: String,
    pub prompt: u64,
    pub prompt_version: i64,
    pub partition: u16,
    pub version: u64,
    pub calls: i64,
    pub failed: i64,
    pub tokens: i64,
    pub cost: i128,
}

/// What one model was used for in one trace; `""` has what no model's spans account for. The rows of a trace add up to
/// its totals.
#[derive(Clone, Debug, Default, PartialEq, Row, Serialize, Deserialize)]
pub struct TraceModelRow {
    pub tenant: String,
    pub started_at: i64,
    pub trace_id: String,
    pub model: String,
    pub version: u64,
    pub is_deleted: u8,
    pub name: String,
    pub session_id: Option<String>,
    pub user_id: Option<String>,
    pub project_id: Option<String>,
    pub environment: Option<String>,
    pub tags: Vec<String>,
    /// 1 in one row of the trace, so that traces are counted once.
    pub traces: i64,
    pub calls: i64,
    /// Calls that carry tokens and no price is known for.
    pub unpriced_calls: i64,
    pub input_tokens: i64,
    pub output_tokens: i64,
    pub cache_read_tokens: i64,
    pub cache_write_tokens: i64,
    pub reasoning_tokens: i64,
    /// With those that only the trace reports.
    pub tokens: i64,
    /// Calls whose duration is known, and how long they took together.
    pub timed_calls: i64,
    pub duration_us: i64,
    pub cost: i128,
    /// The calls one by one, in the order of their starts ([`super::calls`]).
    pub call_started_at: Vec<i64>,
    pub call_failed: Vec<u8>,
    pub call_input_tokens: Vec<i64>,
    pub call_output_tokens: Vec<i64>,
    pub call_cache_read_tokens: Vec<i64>,
    pub call_cost: Vec<i128>,
    pub call_hash: Vec<u64>,
    /// Of each call, beginnings of its prompt and the input tokens that they are.
    pub call_heads: Vec<Vec<u64>>,
    pub call_head_tokens: Vec<Vec<u32>>,
}

/// What was used per (bucket, partition), by the trace's start, in several cubes.
#[derive(Clone, Debug, Default, PartialEq, Row, Serialize, Deserialize)]
pub struct CostTotalRow {
    pub tenant: String,
    /// Which of project and model are told apart ([`super::derive::cube`]); the others are empty.
    pub cube: u8,
    /// Seconds that the bucket is long.
    pub grain: u32,
    pub project_id: String,
    pub model: String,
    /// Seconds since 1970.
    pub start: u32,
    pub environment: String,
    pub partition: u16,
    pub version: u64,
    pub traces: i64,
    /// Rows of traces: of one model, the traces that used it.
    pub uses: i64,
    pub calls: i64,
    pub unpriced_calls: i64,
    pub input_tokens: i64,
    pub output_tokens: i64,
    pub cache_read_tokens: i64,
    pub cache_write_tokens: i64,
    pub reasoning_tokens: i64,
    pub tokens: i64,
    pub timed_calls: i64,
    pub duration_us: i64,
    pub cost: i128,
}

#[derive(Clone, Debug, Default, PartialEq, Row, Serialize, Deserialize)]
pub struct SpanRow {
    pub tenant: String,
    pub trace_id: String,
    pub span_id: String,
    pub version: u64,
    pub is_deleted: u8,
    pub ended_mask: u32,
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
    pub reported_cost: Option<i128>,
    pub cost: Option<i128>,
    pub cost_source: String,
    pub price_table: String,
    pub agent_id: Option<String>,
    pub parent_agent_id: Option<String>,
    pub agent_role: Option<String>,
    pub failed: u8,
    pub error_signature: String,
    /// Of its input and metadata ([`insights::calls`]); 0 where they are not known.
    pub prompt_hash: u64,
    pub prompt_length: u32,
    pub head_hashes: Vec<u64>,
    pub head_lengths: Vec<u32>,
    pub parameters_hash: u64,
    /// The prompt that its metadata name ([`insights::prompt_use`]).
    pub used_prompt: u64,
    pub used_prompt_version: i64,
}

#[derive(Clone, Debug, PartialEq, Row, Serialize, Deserialize)]
pub struct CellRow {
    pub tenant: String,
    pub trace_id: String,
    /// Empty for the trace's own values.
    pub span_id: String,
    pub field: String,
    pub version: u64,
    pub chunks: u16,
    pub sha256: String,
    pub value: String,
}

/// `data` is bytes: a chunk may end within a character.
#[derive(Clone, Debug, PartialEq, Row, Serialize, Deserialize)]
pub struct ChunkRow {
    pub tenant: String,
    pub trace_id: String,
    pub sha256: String,
    pub n: u16,
    pub version: u64,
    #[serde(with = "serde_bytes")]
    pub data: Vec<u8>,
}

#[derive(Clone, Debug, Default, PartialEq, Row, Serialize, Deserialize)]
pub struct FeedbackRow {
    pub tenant: String,
    pub trace_id: String,
    pub user_id: String,
    pub version: u64,
    pub is_deleted: u8,
    pub value: i8,
    pub note: Option<String>,
    pub created_at: i64,
    pub updated_at: i64,
}

#[derive(Clone, Debug, PartialEq, Row, Serialize, Deserialize)]
pub struct ErasureRow {
    pub partition: u16,
    pub version: u64,
    pub tenant: String,
    pub trace_id: String,
}
