//! The bodies as the OpenAPI document shows them; [`super::parse`] reads them field by field.

use std::collections::BTreeMap;

use utoipa::ToSchema;

/// A prompt with its version 1: either `content` or `messages`. Unknown fields are ignored.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct PromptIn {
    /// 1 to 256 bytes, unique; without `/`, and not of the form of an id
    pub name: String,
    /// At most 16384 bytes
    pub description: Option<String>,
    /// A text prompt: at most 393216 bytes. `{{x}}` is a variable: letters, digits, `_`, `.` and `-`, at most 128 bytes,
    /// with spaces around them or not; at most 256 of them
    pub content: Option<String>,
    /// A chat prompt: 1 to 512, at most 393216 bytes of JSON, kept as it is sent
    pub messages: Option<Vec<PromptMessage>>,
    /// At most 256 bytes
    pub model: Option<String>,
    /// At most 65536 bytes of JSON, kept as it is sent
    pub config: Option<BTreeMap<String, serde_json::Value>>,
    /// What this version is for: at most 4096 bytes
    pub message: Option<String>,
    /// That point at this version from now on: at most 50, of 1 to 64 letters (a to z), digits, `_`, `-` and `.` each;
    /// `latest` is reserved
    pub labels: Option<Vec<String>>,
}

/// The next version of a prompt; its fields are as in `PromptIn`.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct PromptVersionIn {
    pub content: Option<String>,
    pub messages: Option<Vec<PromptMessage>>,
    pub model: Option<String>,
    pub config: Option<BTreeMap<String, serde_json::Value>>,
    pub message: Option<String>,
    pub labels: Option<Vec<String>>,
}

/// Fields beside these are kept.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct PromptMessage {
    /// `system`, `user`, `assistant`, `tool` or `developer`
    pub role: String,
    /// Text, or a list of parts: objects with a `type`, and with `text` where that is `text`
    pub content: serde_json::Value,
}

#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct PromptLabelIn {
    /// Where the label points from now on
    pub version: i64,
    /// Only if it points there now; 0: only if it is not set
    pub from_version: Option<i64>,
}
