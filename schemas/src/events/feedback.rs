//! A user's verdict on a trace.

use serde::{Deserialize, Serialize};

use crate::sealing::Sealed;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeedbackGiven {
    pub trace_id: String,
    pub value: i32,
    pub content: Sealed,
}

/// The sealed part of [`FeedbackGiven`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeedbackContent {
    pub user_id: String,
    #[serde(default)]
    pub note: Option<String>,
}
