//! The bodies as the OpenAPI document shows them, which [`super::parse`] reads field by field, and the preview.

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// What is to be published. Unknown fields are ignored.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct TapeIn {
    /// Of at most 10,000 spans
    #[schema(pattern = "^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32})$")]
    pub trace_id: String,
    /// Default: the name of the trace. The address begins with its words.
    #[schema(max_length = 200, pattern = r"^[^\u0000]*\S[^\u0000]*$")]
    pub title: Option<String>,
    #[schema(max_length = 16384, pattern = r"^[^\u0000]*$")]
    pub description: Option<String>,
    #[schema(max_items = 16, max_length = 64, pattern = r"^[^\u0000]*\S[^\u0000]*$")]
    pub tags: Option<Vec<String>>,
    /// Whether it is listed; default `true`. One that is not can be read by whoever has its address.
    pub is_public: Option<bool>,
    /// Of the preview that was looked at: nothing else is published
    #[schema(pattern = "^[0-9A-Fa-f]{64}$")]
    pub sha256: Option<String>,
    pub redact: Option<TapeRedact>,
}

/// What is not to be public. Session, user, project and environment never are.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct TapeRedact {
    /// What is masked by its form, in names, errors and payloads; default: all. `[]`: nothing
    #[schema(inline, max_items = 2)]
    pub detectors: Option<Vec<TapeDetector>>,
    /// Payloads that are left out, of the trace and of all its spans, or parts of them: `metadata`,
    /// `input.messages.*.content`, `output.0`
    #[schema(
        max_items = 100,
        max_length = 512,
        pattern = r"^(input|output|error|metadata|token_ids|logprobs)(\.[^\u0000]*)?$"
    )]
    pub fields: Option<Vec<String>>,
    /// Ids of spans that are left out; what hung on them hangs on what they hung on
    #[schema(max_items = 10_000, pattern = "^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{16})$")]
    pub spans: Option<Vec<String>>,
}

#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[allow(dead_code, reason = "documentation")]
pub enum TapeDetector {
    Keys,
    Emails,
}

/// What of a tape changes; at least one field. Its address and what it shows of the trace do not.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct TapePatch {
    #[schema(max_length = 200, pattern = r"^[^\u0000]*\S[^\u0000]*$")]
    pub title: Option<String>,
    #[schema(max_length = 16384, pattern = r"^[^\u0000]*$")]
    pub description: Option<String>,
    #[schema(max_items = 16, max_length = 64, pattern = r"^[^\u0000]*\S[^\u0000]*$")]
    pub tags: Option<Vec<String>>,
    pub is_public: Option<bool>,
}

/// A file that `GET /tapes/{slug}/export` gives.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct TapeLines(String);

#[derive(Serialize, ToSchema)]
pub struct TapePreview {
    pub title: String,
    pub description: String,
    pub tags: Vec<String>,
    pub is_public: bool,
    /// Of all lines; as `sha256` of the publication it holds it to this preview
    pub sha256: String,
    /// Of all lines
    pub bytes: i64,
    /// As it would be public
    #[schema(value_type = Object)]
    pub trace: Box<RawValue>,
    /// As they would be public
    #[schema(value_type = Vec<Object>)]
    pub steps: Vec<Box<RawValue>>,
    /// What is taken out; the first 1,000
    pub redactions: Vec<TapeRedaction>,
    pub redaction_count: usize,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TapeRedaction {
    /// None: of the trace
    pub span_id: Option<String>,
    pub field: String,
    /// Within the payload: `messages[0].content`; empty: all of it
    pub path: String,
    /// keys, emails or left_out
    pub cause: String,
}
