//! What is asked, as the OpenAPI document shows it; the answer is a document of query-api.

use utoipa::ToSchema;

/// Unknown fields are ignored.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[allow(dead_code, reason = "documentation")]
pub struct RootCauseIn {
    #[schema(pattern = "^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32})$")]
    pub trace_id: String,
    /// Ask the model again, though nothing has changed since it was asked last
    pub refresh: Option<bool>,
}
