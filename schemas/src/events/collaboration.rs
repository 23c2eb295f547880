//! Comments, assignments and notifications. What comes of a command is decided in the fold, by what is in the clear
//! (ADR 0016); users are in it by their ids, since who wrote, is meant and is told decides (ADR 0018).

use serde::{Deserialize, Serialize};

use crate::sealing::Sealed;

/// How far an assignment is; the first two are open.
pub const STATUSES: &[&str] = &["open", "in_progress", "resolved", "dismissed"];

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommentCreated {
    pub comment_id: String,
    pub trace_id: String,
    #[serde(default)]
    pub span_id: Option<String>,
    #[serde(default)]
    pub reply_to_id: Option<String>,
    pub by: String,
    pub mentions: Vec<String>,
    pub content: Sealed,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommentChanged {
    pub comment_id: String,
    #[serde(default)]
    pub if_match: Option<i64>,
    pub by: String,
    pub mentions: Vec<String>,
    pub content: Sealed,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommentDeleted {
    pub comment_id: String,
    #[serde(default)]
    pub if_match: Option<i64>,
    pub by: String,
    pub moderates: bool,
}

/// The sealed part of [`CommentCreated`] and [`CommentChanged`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CommentContent {
    pub body: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AssignmentCreated {
    pub assignment_id: String,
    pub trace_id: String,
    pub assignee_id: String,
    pub by: String,
    pub content: Sealed,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AssignmentChanged {
    pub assignment_id: String,
    #[serde(default)]
    pub if_match: Option<i64>,
    pub by: String,
    #[serde(default)]
    pub status: Option<String>,
    #[serde(default)]
    pub assignee_id: Option<String>,
    /// None: the note stays.
    #[serde(default)]
    pub content: Option<Sealed>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AssignmentDeleted {
    pub assignment_id: String,
    #[serde(default)]
    pub if_match: Option<i64>,
    pub by: String,
    pub moderates: bool,
}

/// The sealed part of [`AssignmentCreated`] and [`AssignmentChanged`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AssignmentContent {
    pub note: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NotificationsRead {
    pub user_id: String,
    /// None: all that the user has by then.
    #[serde(default)]
    pub ids: Option<Vec<String>>,
}

/// Precedes the trace's deletion, which is on another topic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DiscussionClosed {
    pub trace_id: String,
}
