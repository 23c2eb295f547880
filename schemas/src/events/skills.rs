//! Skills. What comes of a command is decided in the fold, by what is in the clear (ADR 0016).

use serde::{Deserialize, Serialize};

use crate::sealing::Sealed;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SkillCreated {
    pub skill_id: String,
    pub content: Sealed,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SkillChanged {
    pub skill_id: String,
    #[serde(default)]
    pub if_match: Option<i64>,
    #[serde(default)]
    pub restores: Option<i64>,
    pub content: Sealed,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SkillDeleted {
    pub skill_id: String,
    #[serde(default)]
    pub if_match: Option<i64>,
}

/// The sealed part of [`SkillCreated`] and [`SkillChanged`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SkillContent {
    pub user_id: String,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub description: Option<String>,
    /// JSON, as it was sent.
    #[serde(default)]
    pub definition: Option<String>,
    #[serde(default)]
    pub scope: Option<String>,
    #[serde(default)]
    pub tags: Option<Vec<String>>,
    #[serde(default)]
    pub is_public: Option<bool>,
}
