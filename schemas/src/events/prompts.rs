//! Prompts: immutable versions, and labels that point at them. What comes of a command is decided in the fold, by what
//! is in the clear (ADR 0016).

use serde::{Deserialize, Serialize};
use serde_bytes::ByteArray;

use crate::sealing::Sealed;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PromptCreated {
    pub prompt_id: String,
    /// [`crate::ids::name_hash`]
    pub name_hash: ByteArray<32>,
    pub labels: Vec<String>,
    pub content: Sealed,
    pub version: Sealed,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PromptVersionAdded {
    pub prompt_id: String,
    #[serde(default)]
    pub if_match: Option<i64>,
    pub labels: Vec<String>,
    pub version: Sealed,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PromptLabelled {
    pub prompt_id: String,
    pub label: String,
    /// None: the label is taken away.
    #[serde(default)]
    pub version: Option<i64>,
    /// Where the label must point for that; 0: nowhere.
    #[serde(default)]
    pub from_version: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PromptDeleted {
    pub prompt_id: String,
    #[serde(default)]
    pub if_match: Option<i64>,
}

/// The sealed part of [`PromptCreated`] that all versions share.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PromptContent {
    pub name: String,
    #[serde(default)]
    pub description: Option<String>,
}

/// One immutable version, sealed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PromptVersionContent {
    pub user_id: String,
    #[serde(default)]
    pub content: Option<String>,
    /// JSON, as it was sent.
    #[serde(default)]
    pub messages: Option<String>,
    pub variables: Vec<String>,
    #[serde(default)]
    pub model: Option<String>,
    /// JSON, as it was sent.
    #[serde(default)]
    pub config: Option<String>,
    #[serde(default)]
    pub message: Option<String>,
}
