//! The bodies as the OpenAPI document shows them; [`super::parse`] reads them field by field.

use utoipa::ToSchema;
use utoipa::openapi::schema::{AnyOfBuilder, SchemaType};
use utoipa::openapi::{ArrayBuilder, ObjectBuilder, Type};

use super::definition::{LONGEST_TOOL_NAME, MOST_TOOLS};

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
    #[schema(max_items = 64, min_length = 1, max_length = 200, pattern = r"^[^\u0000]*$")]
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
    #[schema(max_items = 64, min_length = 1, max_length = 200, pattern = r"^[^\u0000]*$")]
    pub tags: Option<Vec<String>>,
    pub is_public: Option<bool>,
}

/// At most 256 KiB of JSON, kept as it is sent.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct SkillDefinition {
    #[schema(schema_with = tools)]
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

fn tools() -> ArrayBuilder {
    let name = || {
        let text = ObjectBuilder::new().schema_type(Type::String);
        text.min_length(Some(1)).max_length(Some(LONGEST_TOOL_NAME))
    };
    let schema = || {
        let types = SchemaType::from_iter([Type::Object, Type::Null]);
        ObjectBuilder::new().schema_type(types).description(Some("A JSON Schema"))
    };
    let named = || {
        let tool = ObjectBuilder::new().property("name", name()).required("name");
        tool.property("parameters", schema()).property("input_schema", schema())
    };
    let of_openai = ObjectBuilder::new().property("function", named()).required("function");
    ArrayBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Array, Type::Null]))
        .description(Some("Names, or objects with one, in `function` where they are OpenAI's"))
        .items(AnyOfBuilder::new().item(name()).item(of_openai).item(named()))
        .max_items(Some(MOST_TOOLS))
}

#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct SkillRestoreIn {
    /// The version whose content becomes that of the next one
    #[schema(minimum = 1, maximum = 9_223_372_036_854_775_807_i64)]
    pub version: i64,
}
