//! The bodies as the OpenAPI document shows them; [`super::parse`] reads them field by field.

use utoipa::ToSchema;

/// A skill. Unknown fields are ignored; those of `definition` are kept.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct SkillIn {
    /// 1 to 256 bytes
    pub name: String,
    /// At most 16384 bytes
    pub description: Option<String>,
    pub definition: Option<SkillDefinition>,
    /// At most 64 bytes; default `global`
    pub scope: Option<String>,
    /// At most 64, of 1 to 200 bytes each
    pub tags: Option<Vec<String>>,
    pub is_public: Option<bool>,
}

/// What of a skill changes; at least one field.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct SkillPatch {
    pub name: Option<String>,
    pub description: Option<String>,
    /// As a whole
    pub definition: Option<SkillDefinition>,
    pub scope: Option<String>,
    pub tags: Option<Vec<String>>,
    pub is_public: Option<bool>,
}

/// At most 256 KiB of JSON, kept as it is sent.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct SkillDefinition {
    /// At most 128: names, or objects with a `name` (in `function`, where they are OpenAI's) and a JSON Schema in
    /// `parameters` or `input_schema`
    #[schema(value_type = Vec<Object>)]
    pub tools: Option<Vec<serde_json::Value>>,
    pub prompt_template: Option<String>,
    /// 1 to 10000
    pub max_iterations: Option<i64>,
    /// `retry`, `fail` or `fallback`
    pub error_handling: Option<String>,
    /// `session`, `project` or `global`
    pub memory_scope: Option<String>,
}

#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct SkillRestoreIn {
    /// The version whose content becomes that of the next one
    pub version: i64,
}
