//! Traces and spans: facts in the clear, content sealed.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteArray;

use crate::Money;
use crate::sealing::Sealed;

macro_rules! names {
    ($(#[$meta:meta])* $name:ident { $($variant:ident = $text:literal),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($variant),* }

        impl $name {
            pub const ALL: &'static [$name] = &[$($name::$variant),*];
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text),* }
            }
            pub fn parse(text: &str) -> Option<$name> {
                match text { $($text => Some($name::$variant),)* _ => None }
            }
        }
    };
}

names!(Source { Post = "post", Patch = "patch", Stream = "stream", Otlp = "otlp" });
names!(
    /// Fields of a later phase are never replaced by those of an earlier one.
    Phase { Started = "started", Ended = "ended" }
);
names!(TraceStatus { Running = "running", Completed = "completed", Failed = "failed" });
names!(SpanType {
    LlmCall = "llm_call",
    ToolCall = "tool_call",
    ToolResult = "tool_result",
    Reasoning = "reasoning",
    Action = "action",
    Error = "error",
    ForkPoint = "fork_point",
});
names!(PayloadField {
    Input = "input",
    Output = "output",
    Error = "error",
    Metadata = "metadata",
    TokenIds = "token_ids",
    Logprobs = "logprobs",
});

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TraceRecorded {
    pub trace_id: String,
    pub source: Source,
    pub phase: Phase,
    #[serde(default)]
    pub price_table: String,
    #[serde(default)]
    pub status: Option<TraceStatus>,
    #[serde(default)]
    pub started_at: Option<i64>,
    #[serde(default)]
    pub ended_at: Option<i64>,
    #[serde(default)]
    pub total_duration_us: Option<i64>,
    #[serde(default)]
    pub total_tokens: Option<i64>,
    #[serde(default)]
    pub total_cost: Option<Money>,
    #[serde(default)]
    pub lossy: Option<bool>,
    #[serde(default)]
    pub spans: Vec<SpanFacts>,
    #[serde(default)]
    pub content: Option<Sealed>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpanFacts {
    pub span_id: String,
    pub phase: Phase,
    #[serde(default)]
    pub span_type: Option<SpanType>,
    #[serde(default)]
    pub model: Option<String>,
    #[serde(default)]
    pub started_at: Option<i64>,
    #[serde(default)]
    pub ended_at: Option<i64>,
    #[serde(default)]
    pub duration_us: Option<i64>,
    #[serde(default)]
    pub input_tokens: Option<i64>,
    #[serde(default)]
    pub output_tokens: Option<i64>,
    /// Of the input tokens.
    #[serde(default)]
    pub cache_read_tokens: Option<i64>,
    #[serde(default)]
    pub cache_write_tokens: Option<i64>,
    /// Of the output tokens.
    #[serde(default)]
    pub reasoning_tokens: Option<i64>,
    #[serde(default)]
    pub cost: Option<Money>,
    #[serde(default)]
    pub failed: bool,
}

/// The sealed part of [`TraceRecorded`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TraceContent {
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub session_id: Option<String>,
    #[serde(default)]
    pub user_id: Option<String>,
    #[serde(default)]
    pub project_id: Option<String>,
    #[serde(default)]
    pub environment: Option<String>,
    #[serde(default)]
    pub tags: Option<Vec<String>>,
    #[serde(default)]
    pub cells: Vec<Cell>,
    #[serde(default)]
    pub warnings: Vec<String>,
    #[serde(default)]
    pub client_ip: Option<String>,
    #[serde(default)]
    pub spans: Vec<SpanContent>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SpanContent {
    #[serde(default)]
    pub parent_id: Option<String>,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub agent_id: Option<String>,
    #[serde(default)]
    pub parent_agent_id: Option<String>,
    #[serde(default)]
    pub agent_role: Option<String>,
    #[serde(default)]
    pub cells: Vec<Cell>,
}

/// One payload value: JSON text as it was sent, or plain text for `error`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    pub field: PayloadField,
    #[serde(default)]
    pub value: String,
    /// How many [`ContentChunk`]s hold the value; 0: it is here.
    #[serde(default)]
    pub chunks: i32,
    #[serde(default)]
    pub sha256: Option<ByteArray<32>>,
}

/// A piece of a value too large for one record; it precedes the event that names it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContentChunk {
    pub trace_id: String,
    pub sha256: ByteArray<32>,
    pub n: i32,
    pub of: i32,
    pub content: Sealed,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TraceDeleted {
    pub trace_id: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GoldenSet {
    pub trace_id: String,
    pub golden: bool,
}

/// The trace's spans name these price tables from now on; a later [`TraceRecorded`] about a span names its own again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TraceRepriced {
    pub trace_id: String,
    pub price_table: String,
}
