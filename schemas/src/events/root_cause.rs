//! What a model said of why a trace failed.

use serde::{Deserialize, Serialize};

use crate::sealing::Sealed;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RootCauseFound {
    pub trace_id: String,
    pub engine: String,
    pub model: String,
    pub input_tokens: i64,
    pub output_tokens: i64,
    pub content: Sealed,
}

/// The sealed part of [`RootCauseFound`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RootCauseContent {
    pub question: String,
    pub root_cause: String,
    pub failed_step: String,
    #[serde(default)]
    pub failed_span_id: Option<String>,
    pub contributing_factors: Vec<String>,
    pub suggested_fix: String,
    pub confidence: f64,
}

/// As it is kept with its trace, in JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RootCause {
    pub engine: String,
    pub model: String,
    /// Microseconds since 1970.
    pub found_at: i64,
    #[serde(flatten)]
    pub said: RootCauseContent,
}

impl RootCause {
    /// Of the payload cell of a trace that it is kept in.
    pub const FIELD: &'static str = "root_cause";

    pub fn new(found: &RootCauseFound, said: RootCauseContent, found_at: i64) -> RootCause {
        RootCause { engine: found.engine.clone(), model: found.model.clone(), found_at, said }
    }

    pub fn to_json(&self) -> String {
        // Texts and finite numbers only: nothing of it can fail to be JSON.
        serde_json::to_string(self).unwrap_or_default()
    }
}
