//! Memory. What comes of a command is decided in the fold, by what is in the clear (ADR 0016).

use serde::{Deserialize, Serialize};
use serde_bytes::ByteArray;

use crate::sealing::Sealed;

/// Where an entry holds.
pub const SCOPES: &[&str] = &["session", "project", "global"];
/// What an entry is.
pub const CATEGORIES: &[&str] = &["fact", "preference", "correction", "pattern", "instruction"];

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemoryStored {
    /// Of the entry, if the key is new; the content is sealed under it either way.
    pub memory_id: String,
    /// As [`crate::ids::memory_key_hash`] has it.
    pub key_hash: ByteArray<32>,
    pub content: Sealed,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemoryDeleted {
    pub memory_id: String,
}

/// The sealed part of [`MemoryStored`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MemoryContent {
    pub user_id: String,
    pub key: String,
    /// JSON, as it was sent.
    pub value: String,
    pub scope: String,
    pub category: String,
    pub confidence: f64,
    #[serde(default)]
    pub project_id: Option<String>,
    #[serde(default)]
    pub session_id: Option<String>,
    /// Microseconds since 1970.
    #[serde(default)]
    pub expires_at: Option<i64>,
}
