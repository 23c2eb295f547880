//! A trace as the client library posts it.

use serde::Serialize;
use serde_json::Value;

use crate::clock;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trace {
    pub id: String,
    pub name: String,
    pub status: &'static str,
    #[serde(serialize_with = "clock::serialize")]
    pub started_at: i64,
    /// None: the process was gone before the run had ended.
    #[serde(serialize_with = "clock::serialize_optional")]
    pub ended_at: Option<i64>,
    pub total_duration_ms: f64,
    pub total_tokens: u64,
    pub project_id: String,
    pub session_id: String,
    pub user_id: String,
    pub tags: Vec<String>,
    pub input: Value,
    pub output: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    pub metadata: Value,
    pub span_count: usize,
    pub spans: Vec<Span>,
    /// What the user says of it, in a request of its own.
    #[serde(skip)]
    pub feedback: Option<Feedback>,
    /// Somebody keeps it as an example, by a request of its own.
    #[serde(skip)]
    pub golden: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Span {
    pub id: String,
    pub trace_id: String,
    pub parent_id: Option<String>,
    pub span_type: &'static str,
    pub name: String,
    #[serde(serialize_with = "clock::serialize")]
    pub started_at: i64,
    #[serde(serialize_with = "clock::serialize_optional")]
    pub ended_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<&'static str>,
    #[serde(skip_serializing_if = "Value::is_null")]
    pub input: Value,
    #[serde(skip_serializing_if = "Value::is_null")]
    pub output: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Value::is_null")]
    pub metadata: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_agent_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_role: Option<&'static str>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Feedback {
    pub value: i8,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'static str>,
}

impl Trace {
    /// The body of `POST /traces`.
    pub fn to_json(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(self)
    }
}
