//! The body as the OpenAPI document shows it; [`super::parse`] reads it field by field.

use schemas::events::memory::{CATEGORIES, SCOPES};
use utoipa::ToSchema;
use utoipa::openapi::ObjectBuilder;

use super::parse::LONGEST_VALUE;
use crate::documents::{any_but_null, one_of, one_of_or_null};

/// An entry; one with the same key in the same scope, project and session is replaced. Unknown fields are ignored.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct MemoryIn {
    #[schema(min_length = 1, max_length = 512, pattern = r"^[^\u0000]*$")]
    pub key: String,
    #[schema(schema_with = value)]
    pub value: serde_json::Value,
    #[schema(schema_with = scope)]
    pub scope: String,
    #[schema(schema_with = category)]
    pub category: Option<String>,
    /// Default 1
    #[schema(minimum = 0, maximum = 1)]
    pub confidence: Option<f64>,
    /// Needed where the scope is `project`, and none where it is `global`
    #[schema(min_length = 1, max_length = 512, pattern = r"^[^\u0000]*$")]
    pub project_id: Option<String>,
    /// Needed where the scope is `session`, and none where it is `global`
    #[schema(min_length = 1, max_length = 512, pattern = r"^[^\u0000]*$")]
    pub session_id: Option<String>,
    /// For how long from now, at most ten years; not beside `expires_at`
    #[schema(minimum = 1, maximum = 315_360_000)]
    pub ttl_seconds: Option<i64>,
    /// Within the next ten years; not beside `ttl_seconds`
    #[schema(format = DateTime)]
    pub expires_at: Option<String>,
}

fn scope() -> ObjectBuilder {
    one_of(SCOPES)
}

fn category() -> ObjectBuilder {
    one_of_or_null(CATEGORIES).description(Some("Default `fact`"))
}

fn value() -> ObjectBuilder {
    any_but_null()
        .description(Some("A text, or other JSON of at most 65536 bytes, kept as it is sent; NUL in none of its texts"))
        .min_length(Some(1))
        .max_length(Some(LONGEST_VALUE))
        .pattern(Some(r"^[^\u0000]*$"))
}
