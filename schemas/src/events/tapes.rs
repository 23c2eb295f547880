//! Tapes: snapshots of traces that are published. A tape's lines come in parts, then it is published with them (ADR 0024).

use serde::{Deserialize, Serialize};
use serde_bytes::ByteArray;

use crate::sealing::Sealed;

/// Some pieces of a tape's lines, which count once the tape is published with them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TapePartRecorded {
    pub tape_id: String,
    /// What the parts of one reading of the trace have in common.
    pub snapshot_id: String,
    /// How many there are in the content.
    pub pieces: i64,
    pub content: Sealed,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TapePublished {
    pub tape_id: String,
    /// Which parts it is made of.
    pub snapshot_id: String,
    /// How many all of these hold.
    pub pieces: i64,
    pub steps: i64,
    /// Whose snapshot it is; none: it was imported.
    #[serde(default)]
    pub trace_id: Option<String>,
    /// Whether it is listed.
    pub is_public: bool,
    pub content: Sealed,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TapeChanged {
    pub tape_id: String,
    #[serde(default)]
    pub if_match: Option<i64>,
    #[serde(default)]
    pub is_public: Option<bool>,
    pub content: Sealed,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TapeDeleted {
    pub tape_id: String,
    #[serde(default)]
    pub if_match: Option<i64>,
}

/// The operator puts a tape among the featured ones, or takes it out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TapeFeatured {
    pub tape_id: String,
    pub featured: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TapeViewed {
    pub tape_id: String,
    /// Days since 1970, in UTC.
    pub day: i64,
    /// A keyed hash: it tells viewers of one tape and day apart.
    pub viewer: ByteArray<16>,
}

/// Ends all tapes of a trace, before its deletion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TapesErased {
    pub trace_id: String,
}

/// The sealed part of [`TapePartRecorded`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TapePartContent {
    pub pieces: Vec<TapePiece>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TapePiece {
    /// 0: the trace; from 1 on its steps.
    pub line: i64,
    /// Its place in the line; 0 is the first.
    pub piece: i64,
    /// As it stands in the file.
    pub text: String,
    /// Beside the first piece of a step.
    #[serde(default)]
    pub step: Option<TapeStep>,
}

/// What a timeline shows of a step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TapeStep {
    pub span_id: String,
    /// The line of the step that it hangs on.
    #[serde(default)]
    pub parent: Option<i64>,
    pub span_type: String,
    /// Cut to its length.
    pub name: String,
    #[serde(default)]
    pub model: Option<String>,
    /// Since the start of the trace.
    #[serde(default)]
    pub offset_us: Option<i64>,
    #[serde(default)]
    pub duration_us: Option<i64>,
    #[serde(default)]
    pub input_tokens: Option<i64>,
    #[serde(default)]
    pub output_tokens: Option<i64>,
    /// A decimal number of US dollars.
    #[serde(default)]
    pub cost: Option<String>,
    pub failed: bool,
}

/// The sealed part of [`TapePublished`], which has all of it, and of [`TapeChanged`], where what is absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TapeContent {
    pub user_id: String,
    #[serde(default)]
    pub title: Option<String>,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default)]
    pub tags: Option<Vec<String>>,
    #[serde(default)]
    pub snapshot: Option<TapeSnapshot>,
}

/// What a tape never changes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TapeSnapshot {
    pub slug: String,
    /// Over all lines, in hexadecimal digits.
    pub sha256: String,
    /// Of all lines.
    pub bytes: i64,
    pub status: String,
    #[serde(default)]
    pub duration_us: Option<i64>,
    pub tokens: i64,
    /// A decimal number of US dollars.
    pub cost: String,
    pub models: Vec<String>,
}

/// What the log calls a tape, and whose keys seal its content.
pub fn owner(tape_id: &str) -> String {
    format!("tapes/{tape_id}")
}
