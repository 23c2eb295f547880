//! Rows of comments, assignments and notifications.

use std::collections::BTreeMap;

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::super::{Assignment, Collaboration, Comment, Notification};
use super::{keyed, micros};
use crate::verify::Report;
use crate::workspace::both;

type Key = (String, String);

pub struct Rows {
    comments: BTreeMap<Key, (i64, Comment)>,
    assignments: BTreeMap<Key, Assignment>,
    /// In the order of the log.
    notifications: BTreeMap<Key, Vec<Told>>,
    discussions: BTreeMap<Key, Discussion>,
}

#[derive(sqlx::FromRow)]
struct CommentRow {
    trace_id: String,
    span_id: Option<String>,
    parent_id: Option<Uuid>,
    reply_to_id: Option<Uuid>,
    version: i64,
    body: String,
    mentions: Vec<String>,
    reply_count: i64,
    is_deleted: bool,
    created_by: String,
    created_at: OffsetDateTime,
    edited_at: Option<OffsetDateTime>,
}

#[derive(sqlx::FromRow)]
struct AssignmentRow {
    trace_id: String,
    assignee_id: String,
    status: String,
    note: String,
    version: i64,
    assigned_by: String,
    created_by: String,
    created_at: OffsetDateTime,
    updated_by: String,
    updated_at: OffsetDateTime,
}

#[derive(sqlx::FromRow)]
struct NotificationRow {
    notification_id: Uuid,
    at_offset: i64,
    kind: String,
    trace_id: String,
    comment_id: Option<Uuid>,
    assignment_id: Option<Uuid>,
    created_by: String,
    created_at: OffsetDateTime,
    read_at: Option<OffsetDateTime>,
}

/// A notification, all of it.
#[derive(Debug, PartialEq)]
struct Told {
    id: String,
    kind: String,
    /// The trace, the comment and the assignment.
    about: (String, Option<String>, Option<String>),
    created_by: String,
    created_at: i64,
    read_at: Option<i64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, sqlx::FromRow)]
struct Discussion {
    comments: i64,
    assignments: i64,
    is_closed: bool,
}

#[derive(sqlx::FromRow)]
struct CommentKey {
    tenant: String,
    comment_id: Uuid,
}

#[derive(sqlx::FromRow)]
struct AssignmentKey {
    tenant: String,
    assignment_id: Uuid,
}

#[derive(sqlx::FromRow)]
struct UserKey {
    tenant: String,
    user_id: String,
}

#[derive(sqlx::FromRow)]
struct TraceKey {
    tenant: String,
    trace_id: String,
}

impl Rows {
    pub async fn read(snapshot: &mut PgConnection, schema: &str) -> anyhow::Result<Rows> {
        let comments: Vec<(CommentKey, CommentRow)> = keyed(snapshot, schema, "comments").await?;
        let assignments: Vec<(AssignmentKey, AssignmentRow)> = keyed(snapshot, schema, "assignments").await?;
        let mut told: Vec<(UserKey, NotificationRow)> = keyed(snapshot, schema, "notifications").await?;
        let discussions: Vec<(TraceKey, Discussion)> = keyed(snapshot, schema, "discussions").await?;
        told.sort_by_key(|(_, row)| row.at_offset);
        let mut notifications: BTreeMap<Key, Vec<Told>> = BTreeMap::new();
        for (key, row) in told {
            notifications.entry((key.tenant, key.user_id)).or_default().push(row.into());
        }
        Ok(Rows {
            comments: comments
                .into_iter()
                .map(|(key, row)| ((key.tenant, key.comment_id.to_string()), (row.reply_count, row.into())))
                .collect(),
            assignments: assignments
                .into_iter()
                .map(|(key, row)| ((key.tenant, key.assignment_id.to_string()), row.into()))
                .collect(),
            notifications,
            discussions: discussions.into_iter().map(|(key, row)| ((key.tenant, key.trace_id), row)).collect(),
        })
    }

    pub fn compare(&self, expected: &Collaboration, report: &mut Report) {
        let mut replies: BTreeMap<Key, i64> = BTreeMap::new();
        for ((tenant, _), comment) in &expected.comments {
            if let Some(parent) = &comment.parent_id {
                *replies.entry((tenant.clone(), parent.clone())).or_default() += 1;
            }
        }
        for key in both(&expected.comments, &self.comments) {
            let name = format!("{}/{}", key.0, key.1);
            let comment = expected.comments.get(key).cloned();
            let found = self.comments.get(key).cloned();
            report.compared("comments");
            report.field("comments", &name, "exists", &comment.is_some(), &found.is_some());
            let (Some(mut comment), Some((counted, mut found))) = (comment, found) else { continue };
            if comment.body.is_none() {
                report.skip("comments");
                (comment.body, found.body) = (None, None);
            }
            let replies = replies.get(key).copied().unwrap_or_default();
            report.field("comments", &name, "reply_count", &replies, &counted);
            report.field("comments", &name, "row", &comment, &found);
        }
        for key in both(&expected.assignments, &self.assignments) {
            let name = format!("{}/{}", key.0, key.1);
            let (assignment, mut found) = (expected.assignments.get(key), self.assignments.get(key).cloned());
            report.compared("assignments");
            if assignment.is_some_and(|assignment| assignment.note.is_none()) {
                report.skip("assignments");
                found = found.map(|found| Assignment { note: None, ..found });
            }
            report.field("assignments", &name, "row", &assignment.cloned(), &found);
        }
        for key in both(&expected.notifications, &self.notifications) {
            let told: Vec<Told> = expected.notifications.get(key).into_iter().flatten().map(Told::from).collect();
            let found = self.notifications.get(key).map_or(&[][..], Vec::as_slice);
            report.compared("notifications");
            report.field("notifications", &format!("{}/{}", key.0, key.1), "rows", &told.as_slice(), &found);
        }
        for key in both(&expected.discussions, &self.discussions) {
            let counted = expected.discussions.get(key).map(|discussion| Discussion {
                comments: discussion.comments.len() as i64,
                assignments: discussion.assignments.len() as i64,
                is_closed: discussion.is_closed,
            });
            let (name, found) = (format!("{}/{}", key.0, key.1), self.discussions.get(key).copied());
            report.compared("discussions");
            // Where there is nothing, there may be a row that says so.
            report.field("discussions", &name, "row", &counted.unwrap_or_default(), &found.unwrap_or_default());
        }
    }
}

impl From<CommentRow> for Comment {
    fn from(row: CommentRow) -> Comment {
        Comment {
            trace_id: row.trace_id,
            span_id: row.span_id,
            parent_id: text(row.parent_id),
            reply_to_id: text(row.reply_to_id),
            version: row.version,
            body: Some(row.body),
            mentions: row.mentions,
            is_deleted: row.is_deleted,
            created_by: row.created_by,
            created_at: micros(row.created_at),
            edited_at: row.edited_at.map(micros),
        }
    }
}

impl From<AssignmentRow> for Assignment {
    fn from(row: AssignmentRow) -> Assignment {
        Assignment {
            trace_id: row.trace_id,
            assignee_id: row.assignee_id,
            status: row.status,
            note: Some(row.note),
            version: row.version,
            assigned_by: row.assigned_by,
            created_by: row.created_by,
            created_at: micros(row.created_at),
            updated_by: row.updated_by,
            updated_at: micros(row.updated_at),
        }
    }
}

impl From<NotificationRow> for Told {
    fn from(row: NotificationRow) -> Told {
        Told {
            id: row.notification_id.to_string(),
            kind: row.kind,
            about: (row.trace_id, text(row.comment_id), text(row.assignment_id)),
            created_by: row.created_by,
            created_at: micros(row.created_at),
            read_at: row.read_at.map(micros),
        }
    }
}

impl From<&Notification> for Told {
    fn from(told: &Notification) -> Told {
        Told {
            id: told.id.clone(),
            kind: told.kind.to_owned(),
            about: (told.trace_id.clone(), told.comment_id.clone(), told.assignment_id.clone()),
            created_by: told.created_by.clone(),
            created_at: told.created_at,
            read_at: told.read_at,
        }
    }
}

fn text(id: Option<Uuid>) -> Option<String> {
    id.map(|id| id.to_string())
}
