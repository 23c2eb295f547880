//! The bodies as the OpenAPI document shows them; [`super::parse`] reads them field by field.

use serde::Serialize;
use utoipa::ToSchema;

/// A trace. Fields that are absent or null say nothing; unknown fields are ignored.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct TraceIn {
    /// UUID or 32-hex OpenTelemetry id; generated where absent.
    pub id: Option<String>,
    pub name: Option<String>,
    /// `running`, `completed` or `failed`
    pub status: Option<String>,
    #[schema(value_type = Object)]
    pub input: Option<serde_json::Value>,
    #[schema(value_type = Object)]
    pub output: Option<serde_json::Value>,
    pub error: Option<String>,
    #[schema(value_type = Object)]
    pub metadata: Option<serde_json::Value>,
    pub session_id: Option<String>,
    pub user_id: Option<String>,
    pub project_id: Option<String>,
    pub environment: Option<String>,
    pub tags: Option<Vec<String>>,
    /// RFC 3339
    pub started_at: Option<String>,
    pub ended_at: Option<String>,
    /// Used where no span carries tokens; kept as `reported_total_tokens` otherwise.
    pub total_tokens: Option<i64>,
    pub total_cost: Option<f64>,
    pub total_duration_ms: Option<f64>,
    pub lossy: Option<bool>,
    pub spans: Option<Vec<SpanIn>>,
}

/// A span. `span_type` and `started_at` are required.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct SpanIn {
    /// UUID or 16-hex OpenTelemetry id; derived from the trace and place where absent.
    pub id: Option<String>,
    pub trace_id: Option<String>,
    pub parent_id: Option<String>,
    /// llm_call, tool_call, tool_result, reasoning, action, error or fork_point
    pub span_type: String,
    pub name: Option<String>,
    pub model: Option<String>,
    #[schema(value_type = Object)]
    pub input: Option<serde_json::Value>,
    #[schema(value_type = Object)]
    pub output: Option<serde_json::Value>,
    pub input_tokens: Option<i64>,
    pub output_tokens: Option<i64>,
    /// Of the input tokens: read from the provider's cache.
    pub cache_read_tokens: Option<i64>,
    /// Of the input tokens: written to the provider's cache.
    pub cache_write_tokens: Option<i64>,
    /// Of the output tokens: spent on reasoning.
    pub reasoning_tokens: Option<i64>,
    /// US dollars; computed from the tokens and the price table where absent.
    pub cost: Option<f64>,
    pub duration_ms: Option<f64>,
    pub started_at: String,
    pub ended_at: Option<String>,
    pub error: Option<String>,
    #[schema(value_type = Object)]
    pub metadata: Option<serde_json::Value>,
    pub agent_id: Option<String>,
    pub parent_agent_id: Option<String>,
    pub agent_role: Option<String>,
    #[schema(value_type = Object)]
    pub token_ids: Option<serde_json::Value>,
    #[schema(value_type = Object)]
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
