//! The bodies as the OpenAPI document shows them; [`super::parse`] reads them field by field.

use schemas::events::collaboration::STATUSES;
use utoipa::ToSchema;
use utoipa::openapi::ObjectBuilder;

use crate::documents::one_of_or_null;

/// A comment. Unknown fields are ignored.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct CommentIn {
    #[schema(pattern = "^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32})$")]
    pub trace_id: String,
    /// Of the trace; a reply is where its thread is
    #[schema(pattern = "^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{16})$")]
    pub span_id: Option<String>,
    /// The comment that it answers, on the same trace
    #[schema(format = "uuid")]
    pub parent_id: Option<String>,
    /// `@user` outside code tells the member with this id, at most 20
    #[schema(max_length = 65_536, pattern = r"^[^\u0000]*\S[^\u0000]*$")]
    pub body: String,
}

#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct CommentPatch {
    /// Members whom it names with `@`, and the version before did not, are told
    #[schema(max_length = 65_536, pattern = r"^[^\u0000]*\S[^\u0000]*$")]
    pub body: String,
}

/// An assignment. Unknown fields are ignored.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct AssignmentIn {
    #[schema(pattern = "^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32})$")]
    pub trace_id: String,
    /// The id of a member
    #[schema(min_length = 1, max_length = 256, pattern = r"^[^\u0000]*$")]
    pub assignee_id: String,
    #[schema(max_length = 65_536, pattern = r"^[^\u0000]*$")]
    pub note: Option<String>,
}

/// What of an assignment changes; at least one field.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct AssignmentPatch {
    #[schema(schema_with = status)]
    pub status: Option<String>,
    /// The id of a member
    #[schema(min_length = 1, max_length = 256, pattern = r"^[^\u0000]*$")]
    pub assignee_id: Option<String>,
    #[schema(max_length = 65_536, pattern = r"^[^\u0000]*$")]
    pub note: Option<String>,
}

fn status() -> ObjectBuilder {
    one_of_or_null(STATUSES)
}

/// Without `ids`: all. Those that are not there are passed over.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct NotificationsReadIn {
    #[schema(min_items = 1, max_items = 1_000, format = "uuid")]
    pub ids: Option<Vec<String>>,
}
