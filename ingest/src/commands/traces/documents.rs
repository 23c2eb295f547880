//! The bodies as the OpenAPI document shows them; [`super::parse`] reads them field by field.

use serde::Serialize;
use utoipa::ToSchema;

/// A trace. Fields that are absent or null say nothing; unknown fields are ignored.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct TraceIn {
    /// UUID or 32-hex OpenTelemetry id; generated where absent.
    #[schema(pattern = "^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32})$")]
    pub id: Option<String>,
    #[schema(max_length = 4096, pattern = r"^[^\u0000]*$")]
    pub name: Option<String>,
    #[schema(inline)]
    pub status: Option<Status>,
    /// Any JSON
    pub input: Option<serde_json::Value>,
    /// Any JSON
    pub output: Option<serde_json::Value>,
    pub error: Option<String>,
    /// Any JSON
    pub metadata: Option<serde_json::Value>,
    #[schema(max_length = 512, pattern = r"^[^\u0000]*$")]
    pub session_id: Option<String>,
    #[schema(max_length = 512, pattern = r"^[^\u0000]*$")]
    pub user_id: Option<String>,
    #[schema(max_length = 512, pattern = r"^[^\u0000]*$")]
    pub project_id: Option<String>,
    #[schema(max_length = 512, pattern = r"^[^\u0000]*$")]
    pub environment: Option<String>,
    #[schema(max_items = 64, max_length = 256, pattern = r"^[^\u0000]*$")]
    pub tags: Option<Vec<String>>,
    /// Between 2000-01-01 and tomorrow
    #[schema(format = DateTime)]
    pub started_at: Option<String>,
    /// Not before `started_at`, but for a clock step of five minutes
    #[schema(format = DateTime)]
    pub ended_at: Option<String>,
    /// Used where no span carries tokens; kept as `reported_total_tokens` otherwise.
    #[schema(minimum = 0, maximum = 100_000_000_000_i64)]
    pub total_tokens: Option<i64>,
    #[schema(minimum = 0, exclusive_maximum = 1_000_000_000)]
    pub total_cost: Option<f64>,
    /// A little below 0 is a clock step, and kept as 0
    #[schema(minimum = -300_000, maximum = 3_153_600_000_000_i64)]
    pub total_duration_ms: Option<f64>,
    pub lossy: Option<bool>,
    #[schema(max_items = 10_000)]
    pub spans: Option<Vec<SpanIn>>,
}

#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[allow(dead_code, reason = "documentation")]
pub enum Status {
    Running,
    Completed,
    Failed,
}

#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[allow(dead_code, reason = "documentation")]
pub enum Kind {
    LlmCall,
    ToolCall,
    ToolResult,
    Reasoning,
    Action,
    Error,
    ForkPoint,
}

/// A span. `span_type` and `started_at` are required.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct SpanIn {
    /// UUID or 16-hex OpenTelemetry id; derived from the trace and place where absent.
    #[schema(pattern = "^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{16})$")]
    pub id: Option<String>,
    /// The trace's
    #[schema(pattern = "^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32})$")]
    pub trace_id: Option<String>,
    #[schema(pattern = "^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{16})$")]
    pub parent_id: Option<String>,
    #[schema(inline)]
    pub span_type: Kind,
    #[schema(max_length = 4096, pattern = r"^[^\u0000]*$")]
    pub name: Option<String>,
    #[schema(max_length = 512, pattern = r"^[^\u0000]*$")]
    pub model: Option<String>,
    /// Any JSON
    pub input: Option<serde_json::Value>,
    /// Any JSON
    pub output: Option<serde_json::Value>,
    #[schema(minimum = 0, maximum = 100_000_000_000_i64)]
    pub input_tokens: Option<i64>,
    #[schema(minimum = 0, maximum = 100_000_000_000_i64)]
    pub output_tokens: Option<i64>,
    /// Of the input tokens: read from the provider's cache.
    #[schema(minimum = 0, maximum = 100_000_000_000_i64)]
    pub cache_read_tokens: Option<i64>,
    /// Of the input tokens: written to the provider's cache.
    #[schema(minimum = 0, maximum = 100_000_000_000_i64)]
    pub cache_write_tokens: Option<i64>,
    /// Of the output tokens: spent on reasoning.
    #[schema(minimum = 0, maximum = 100_000_000_000_i64)]
    pub reasoning_tokens: Option<i64>,
    /// US dollars; computed from the tokens and the price table where absent.
    #[schema(minimum = 0, exclusive_maximum = 1_000_000_000)]
    pub cost: Option<f64>,
    /// A little below 0 is a clock step, and kept as 0
    #[schema(minimum = -300_000, maximum = 3_153_600_000_000_i64)]
    pub duration_ms: Option<f64>,
    /// Between 2000-01-01 and tomorrow
    #[schema(format = DateTime)]
    pub started_at: String,
    /// Not before `started_at`, but for a clock step of five minutes
    #[schema(format = DateTime)]
    pub ended_at: Option<String>,
    pub error: Option<String>,
    /// Any JSON. `prompt_id` or `prompt_name`, with `prompt_version`, names the prompt that the span was made with
    pub metadata: Option<serde_json::Value>,
    #[schema(max_length = 512, pattern = r"^[^\u0000]*$")]
    pub agent_id: Option<String>,
    #[schema(max_length = 512, pattern = r"^[^\u0000]*$")]
    pub parent_agent_id: Option<String>,
    #[schema(max_length = 512, pattern = r"^[^\u0000]*$")]
    pub agent_role: Option<String>,
    /// Any JSON
    pub token_ids: Option<serde_json::Value>,
    /// Any JSON
    pub logprobs: Option<serde_json::Value>,
}

/// What this request recorded.
#[derive(Serialize, ToSchema)]
pub struct TraceAccepted {
    pub id: String,
    pub span_count: usize,
    pub status: String,
}

#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct GoldenIn {
    pub golden: bool,
}

#[derive(Serialize, ToSchema)]
pub struct GoldenOut {
    pub id: String,
    pub golden: bool,
}

#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct HaltIn {
    /// Told to the client, and kept as the trace's error
    #[schema(min_length = 1, max_length = 1024, pattern = r"^[^\u0000]*$")]
    pub reason: String,
}

#[derive(Serialize, ToSchema)]
pub struct HaltOut {
    pub id: String,
    pub status: &'static str,
    /// How many clients that record the trace were told
    pub halted: usize,
}

#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct ReplayIn {
    /// Positional arguments; those that were recorded where absent
    pub input: Option<Vec<serde_json::Value>>,
}

#[derive(Serialize, ToSchema)]
pub struct ReplayOut {
    pub trace_id: String,
    pub status: &'static str,
    /// The connection whose client was told
    pub connection: String,
}
