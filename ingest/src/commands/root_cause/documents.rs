//! What is asked; the answer is a document of query-api.

use serde::Deserialize;
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RootCauseIn {
    #[serde(rename = "traceId", alias = "trace_id")]
    pub trace_id: String,
    /// Ask the model again, though nothing has changed since it was asked last
    #[serde(default)]
    pub refresh: bool,
}
