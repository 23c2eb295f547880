//! The answers.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::numbers::Number;

#[derive(Serialize, ToSchema)]
pub struct PromptOut {
    #[serde(flatten)]
    pub prompt: PromptSummary,
    /// The one that was asked for, or the newest ones: at most 200, and no more than a few MiB
    pub versions: Vec<PromptVersionOut>,
    /// How many there are in all
    pub versions_total: i64,
    /// For `cursor` of the list of versions, where older ones follow
    pub versions_cursor: Option<String>,
}

/// A prompt without its versions.
#[derive(Serialize, ToSchema)]
pub struct PromptSummary {
    pub id: String,
    pub name: String,
    pub description: String,
    /// Label → version
    pub labels: BTreeMap<String, i64>,
    pub latest_version: i64,
    pub created_by: String,
    pub created_at: String,
    /// When a version came or a label moved
    pub updated_at: String,
}

#[derive(Serialize, ToSchema)]
pub struct PromptList {
    pub prompts: Vec<PromptSummary>,
    pub total: u64,
    /// `at_least` where the total was not counted to its end
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_is: Option<&'static str>,
    pub limit: u64,
    pub offset: u64,
    pub next_cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct PromptVersionOut {
    pub version: i64,
    /// Of a text prompt
    pub content: Option<String>,
    /// Of a chat prompt, as they were sent
    #[schema(value_type = Option<Vec<Object>>)]
    pub messages: Option<Box<RawValue>>,
    /// In the order of their first appearance
    pub variables: Vec<String>,
    pub model: Option<String>,
    /// As it was sent
    #[schema(value_type = Option<Object>)]
    pub config: Option<Box<RawValue>>,
    /// What this version is for
    pub message: Option<String>,
    pub created_by: String,
    pub created_at: String,
}

#[derive(Serialize, ToSchema)]
pub struct PromptVersionList {
    pub id: String,
    pub versions: Vec<PromptVersionOut>,
    /// How many there are in all
    pub total: i64,
    /// A page of long versions has fewer
    pub limit: u64,
    pub next_cursor: Option<String>,
}

/// What spans that name the prompt in their metadata (`prompt_id` or `prompt_name`, with `prompt_version`) add up to.
#[derive(Serialize, ToSchema)]
pub struct PromptUses {
    pub id: String,
    /// Of all versions
    pub total: PromptUsed,
    /// Those that are used, the newest first: at most 200
    pub versions: Vec<PromptVersionUsed>,
}

#[derive(Serialize, ToSchema)]
pub struct PromptUsed {
    /// Spans of traces that are not deleted
    pub calls: i64,
    pub failed: i64,
    pub tokens: i64,
    #[schema(value_type = f64)]
    pub cost: Number,
}

#[derive(Serialize, ToSchema)]
pub struct PromptVersionUsed {
    pub version: i64,
    #[serde(flatten)]
    pub used: PromptUsed,
}

#[derive(Serialize, ToSchema)]
pub struct PromptDiff {
    pub from: i64,
    pub to: i64,
    pub changes: Vec<PromptChange>,
    /// The whole text in lines; a chat's messages as `role: content`
    pub text: Vec<PromptLines>,
}

#[derive(Serialize, ToSchema)]
pub struct PromptChange {
    /// `content`, `messages[0]`, `model`, `config.temperature` or `variables`
    pub path: String,
    /// `added`, `removed` or `changed`
    pub op: &'static str,
    /// Any JSON; null where it was added
    #[schema(value_type = serde_json::Value)]
    pub from: Option<Box<RawValue>>,
    /// Any JSON; null where it was removed
    #[schema(value_type = serde_json::Value)]
    pub to: Option<Box<RawValue>>,
}

#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub struct PromptLines {
    /// `equal`, `delete` or `insert`
    pub op: &'static str,
    pub lines: Vec<String>,
}
