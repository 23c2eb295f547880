//! The answers.

use runtime::http::rfc3339;
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Serialize, ToSchema)]
pub struct CommentOut {
    pub id: String,
    pub trace_id: String,
    /// Where it is on one of the spans
    pub span_id: Option<String>,
    /// Of a reply: the first comment of its thread
    pub parent_id: Option<String>,
    /// Of a reply: the comment that it answers, which may be gone
    pub reply_to_id: Option<String>,
    /// `null` where it is deleted, and stands for the replies to it
    pub body: Option<String>,
    /// Users whom the body names, members or not
    pub mentions: Vec<String>,
    /// Of the thread that it begins
    pub reply_count: i64,
    pub is_deleted: bool,
    pub version: i64,
    pub created_by: String,
    pub created_at: String,
    pub edited_at: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct CommentList {
    pub comments: Vec<CommentOut>,
    pub total: u64,
    /// `at_least` where the total was not counted to its end
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_is: Option<&'static str>,
    pub limit: u64,
    pub offset: u64,
    pub next_cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct AssignmentOut {
    pub id: String,
    pub trace_id: String,
    pub assignee_id: String,
    /// `open`, `in_progress`, `resolved` or `dismissed`
    pub status: String,
    pub note: String,
    pub version: i64,
    /// Who chose the assignee
    pub assigned_by: String,
    pub created_by: String,
    pub created_at: String,
    pub updated_by: String,
    pub updated_at: String,
}

#[derive(Serialize, ToSchema)]
pub struct AssignmentList {
    pub assignments: Vec<AssignmentOut>,
    pub total: u64,
    /// `at_least` where the total was not counted to its end
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_is: Option<&'static str>,
    pub limit: u64,
    pub offset: u64,
    pub next_cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct NotificationOut {
    pub id: String,
    /// `mention`, `reply`, `assignment` or `status` (of an assignment that you made)
    pub kind: String,
    pub trace_id: String,
    pub span_id: Option<String>,
    pub comment_id: Option<String>,
    pub assignment_id: Option<String>,
    /// The beginning of the comment or of the assignment's note, as it is now
    pub excerpt: String,
    /// Whose act it is
    pub created_by: String,
    pub created_at: String,
    /// When it was marked as read
    pub read_at: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct NotificationList {
    pub notifications: Vec<NotificationOut>,
    /// How many are not read yet, on all pages
    pub unread: u64,
    /// `at_least` where they were not counted to their end
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread_is: Option<&'static str>,
    /// How many there are on all pages
    pub total: u64,
    /// `at_least` where the total was not counted to its end
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_is: Option<&'static str>,
    pub limit: u64,
    pub next_cursor: Option<String>,
}

#[derive(sqlx::FromRow)]
pub struct CommentRow {
    pub comment_id: Uuid,
    pub trace_id: String,
    pub span_id: Option<String>,
    pub parent_id: Option<Uuid>,
    pub reply_to_id: Option<Uuid>,
    pub version: i64,
    pub body: String,
    pub mentions: Vec<String>,
    pub reply_count: i64,
    pub is_deleted: bool,
    pub created_by: String,
    pub created_at: OffsetDateTime,
    pub edited_at: Option<OffsetDateTime>,
}

#[derive(sqlx::FromRow)]
pub struct AssignmentRow {
    pub assignment_id: Uuid,
    pub trace_id: String,
    pub assignee_id: String,
    pub status: String,
    pub note: String,
    pub version: i64,
    pub assigned_by: String,
    pub created_by: String,
    pub created_at: OffsetDateTime,
    pub updated_by: String,
    pub updated_at: OffsetDateTime,
}

#[derive(sqlx::FromRow)]
pub struct NotificationRow {
    pub notification_id: Uuid,
    pub at_offset: i64,
    pub kind: String,
    pub trace_id: String,
    pub span_id: Option<String>,
    pub comment_id: Option<Uuid>,
    pub assignment_id: Option<Uuid>,
    pub excerpt: Option<String>,
    pub created_by: String,
    pub created_at: OffsetDateTime,
    pub read_at: Option<OffsetDateTime>,
}

impl From<CommentRow> for CommentOut {
    fn from(row: CommentRow) -> CommentOut {
        CommentOut {
            id: row.comment_id.to_string(),
            trace_id: row.trace_id,
            span_id: row.span_id,
            parent_id: text(row.parent_id),
            reply_to_id: text(row.reply_to_id),
            body: Some(row.body).filter(|_| !row.is_deleted),
            mentions: row.mentions,
            reply_count: row.reply_count,
            is_deleted: row.is_deleted,
            version: row.version,
            created_by: row.created_by,
            created_at: rfc3339(row.created_at),
            edited_at: row.edited_at.map(rfc3339),
        }
    }
}

impl From<AssignmentRow> for AssignmentOut {
    fn from(row: AssignmentRow) -> AssignmentOut {
        AssignmentOut {
            id: row.assignment_id.to_string(),
            trace_id: row.trace_id,
            assignee_id: row.assignee_id,
            status: row.status,
            note: row.note,
            version: row.version,
            assigned_by: row.assigned_by,
            created_by: row.created_by,
            created_at: rfc3339(row.created_at),
            updated_by: row.updated_by,
            updated_at: rfc3339(row.updated_at),
        }
    }
}

impl From<NotificationRow> for NotificationOut {
    fn from(row: NotificationRow) -> NotificationOut {
        NotificationOut {
            id: row.notification_id.to_string(),
            kind: row.kind,
            trace_id: row.trace_id,
            span_id: row.span_id,
            comment_id: text(row.comment_id),
            assignment_id: text(row.assignment_id),
            excerpt: row.excerpt.unwrap_or_default(),
            created_by: row.created_by,
            created_at: rfc3339(row.created_at),
            read_at: row.read_at.map(rfc3339),
        }
    }
}

fn text(id: Option<Uuid>) -> Option<String> {
    id.map(|id| id.to_string())
}
