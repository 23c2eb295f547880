//! The bodies as the OpenAPI document shows them; [`super::parse`] reads them field by field.

use utoipa::ToSchema;

/// A skill. Unknown fields are ignored; those of `definition` are kept.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct SkillIn {
    #[schema(max_length = 256, pattern = r"^[^\u0000]*\S[^\u0000]*$")]
    pub name: String,
    #[schema(max_length = 16384, pattern = r"^[^\u0000]*$")]
    pub description: Option<String>,
    pub definition: Option<SkillDefinition>,
    /// Default `global`
    #[schema(max_length = 64, pattern = r"^[^\u0000]*\S[^\u0000]*$")]
    pub scope: Option<String>,
    /// Of 1 to 200 characters each
    #[schema(max_items = 64)]
    pub tags: Option<Vec<String>>,
    pub is_public: Option<bool>,
}

/// What of a skill changes; at least one field.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct SkillPatch {
    #[schema(max_length = 256, pattern = r"^[^\u0000]*\S[^\u0000]*$")]
    pub name: Option<String>,
    #[schema(max_length = 16384, pattern = r"^[^\u0000]*$")]
    pub description: Option<String>,
    /// As a whole
    pub definition: Option<SkillDefinition>,
    #[schema(max_length = 64, pattern = r"^[^\u0000]*\S[^\u0000]*$")]
    pub scope: Option<String>,
    /// Of 1 to 200 characters each
    #[schema(max_items = 64)]
    pub tags: Option<Vec<String>>,
    pub is_public: Option<bool>,
}

/// At most 256 KiB of JSON, kept as it is sent.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct SkillDefinition {
    /// At most 128: names, or objects with a `name` (in `function`, where they are OpenAI's) and a JSON Schema in
    /// `parameters` or `input_schema`
    #[schema(max_items = 128)]
    pub tools: Option<Vec<serde_json::Value>>,
    pub prompt_template: Option<String>,
    #[schema(minimum = 1, maximum = 10_000)]
    pub max_iterations: Option<i64>,
    #[schema(inline)]
    pub error_handling: Option<ErrorHandling>,
    #[schema(inline)]
    pub memory_scope: Option<MemoryScope>,
}

#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[allow(dead_code, reason = "documentation")]
pub enum ErrorHandling {
    Retry,
    Fail,
    Fallback,
}

#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[allow(dead_code, reason = "documentation")]
pub enum MemoryScope {
    Session,
    Project,
    Global,
}

#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct SkillRestoreIn {
    /// The version whose content becomes that of the next one
    #[schema(minimum = 1)]
    pub version: i64,
}
