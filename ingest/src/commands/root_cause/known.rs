//! What query-api knows of a failed trace: `GET /traces/{id}/root-cause`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

#[derive(Deserialize)]
pub struct Known {
    /// The local analysis, as it is answered.
    pub local: Map<String, Value>,
    /// What a model said last.
    pub verdict: Option<Verdict>,
    pub excerpt: Excerpt,
}

#[derive(Deserialize)]
pub struct Verdict {
    pub engine: String,
    pub model: String,
    pub found_at: String,
    pub question: String,
    pub failed_span_id: Option<String>,
    pub analysis: Value,
}

/// What a model is shown.
#[derive(Serialize, Deserialize)]
pub struct Excerpt {
    pub trace_name: String,
    pub error: Option<String>,
    pub suspicion: String,
    pub suspected_step: Option<usize>,
    pub steps: Vec<Step>,
    pub left_out: usize,
}

#[derive(Serialize, Deserialize)]
pub struct Step {
    pub number: usize,
    #[serde(skip_serializing)]
    pub span_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inside: Option<usize>,
    pub step: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    pub failed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<f64>,
    pub tokens: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
}
