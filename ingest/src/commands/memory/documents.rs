//! The body as the OpenAPI document shows it; [`super::parse`] reads it field by field.

use utoipa::ToSchema;

/// An entry; one with the same key in the same scope, project and session is replaced. Unknown fields are ignored.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct MemoryIn {
    #[schema(max_length = 512, pattern = r"^[^\u0000]*\S[^\u0000]*$")]
    pub key: String,
    /// A text of 1 to 65536 bytes, or other JSON of at most 65536, without NUL; kept as it is sent
    #[schema(value_type = Value)]
    pub value: serde_json::Value,
    /// `session`, `project` or `global`
    pub scope: String,
    /// `fact`, `preference`, `correction`, `pattern` or `instruction`; default `fact`
    pub category: Option<String>,
    /// 0 to 1; default 1
    pub confidence: Option<f64>,
    /// Needed where the scope is `project`, and none where it is `global`
    pub project_id: Option<String>,
    /// Needed where the scope is `session`, and none where it is `global`
    pub session_id: Option<String>,
    /// For how long from now, at most ten years; not beside `expires_at`
    pub ttl_seconds: Option<i64>,
    /// RFC 3339, within the next ten years; not beside `ttl_seconds`
    pub expires_at: Option<String>,
}
