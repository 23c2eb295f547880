//! The bodies as the OpenAPI document shows them; [`super::parse`] reads them field by field.

use utoipa::ToSchema;

/// A comment. Unknown fields are ignored.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct CommentIn {
    pub trace_id: String,
    /// Of the trace; a reply is where its thread is
    pub span_id: Option<String>,
    /// The comment that it answers, on the same trace
    pub parent_id: Option<String>,
    /// 1 to 65536 bytes. `@user` outside code tells the member with this id, at most 20
    pub body: String,
}

#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct CommentPatch {
    /// 1 to 65536 bytes. Members whom it names with `@`, and the version before did not, are told
    pub body: String,
}

/// An assignment. Unknown fields are ignored.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct AssignmentIn {
    pub trace_id: String,
    /// The id of a member
    pub assignee_id: String,
    /// At most 65536 bytes
    pub note: Option<String>,
}

/// What of an assignment changes; at least one field.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct AssignmentPatch {
    /// `open`, `in_progress`, `resolved` or `dismissed`
    pub status: Option<String>,
    /// The id of a member
    pub assignee_id: Option<String>,
    /// At most 65536 bytes
    pub note: Option<String>,
}

/// Without `ids`: all. Those that are not there are passed over.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct NotificationsReadIn {
    /// 1 to 1000
    pub ids: Option<Vec<String>>,
}
