//! The bodies as the OpenAPI document shows them; [`super::parse`] reads them field by field.

use std::collections::BTreeMap;

use utoipa::openapi::schema::AnyOfBuilder;
use utoipa::openapi::{ArrayBuilder, ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::chat::ROLES;
use crate::documents::{any_but_null, one_of};

/// A prompt with its version 1: either `content` or `messages`. Unknown fields are ignored.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct PromptIn {
    /// Unique, and not of the form of an id
    #[schema(max_length = 256, pattern = r"^(?!\.{1,2}$)[^\u0000/]*[^\u0000/\s][^\u0000/]*$")]
    pub name: String,
    #[schema(max_length = 16_384, pattern = r"^[^\u0000]*$")]
    pub description: Option<String>,
    /// A text prompt: at most 393216 bytes. `{{x}}` is a variable: letters, digits, `_`, `.` and `-`, at most 128 bytes,
    /// with spaces around them or not; at most 256 of them
    #[schema(min_length = 1, max_length = 393_216, pattern = r"^[^\u0000]*$")]
    pub content: Option<String>,
    /// A chat prompt: at most 393216 bytes of JSON, kept as it is sent
    #[schema(min_items = 1, max_items = 512)]
    pub messages: Option<Vec<PromptMessage>>,
    #[schema(max_length = 256, pattern = r"^[^\u0000]*$")]
    pub model: Option<String>,
    /// At most 65536 bytes of JSON, kept as it is sent
    pub config: Option<BTreeMap<String, serde_json::Value>>,
    /// What this version is for
    #[schema(max_length = 4_096, pattern = r"^[^\u0000]*$")]
    pub message: Option<String>,
    /// That point at this version from now on; `latest` is reserved
    #[schema(max_items = 50, max_length = 64, pattern = r"^(?!(\.{1,2}|latest)$)[A-Za-z0-9_.-]+$")]
    pub labels: Option<Vec<String>>,
}

/// The next version of a prompt; its fields are as in `PromptIn`.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct PromptVersionIn {
    #[schema(min_length = 1, max_length = 393_216, pattern = r"^[^\u0000]*$")]
    pub content: Option<String>,
    #[schema(min_items = 1, max_items = 512)]
    pub messages: Option<Vec<PromptMessage>>,
    #[schema(max_length = 256, pattern = r"^[^\u0000]*$")]
    pub model: Option<String>,
    pub config: Option<BTreeMap<String, serde_json::Value>>,
    #[schema(max_length = 4_096, pattern = r"^[^\u0000]*$")]
    pub message: Option<String>,
    #[schema(max_items = 50, max_length = 64, pattern = r"^(?!(\.{1,2}|latest)$)[A-Za-z0-9_.-]+$")]
    pub labels: Option<Vec<String>>,
}

#[allow(dead_code, reason = "documentation")]
pub struct PromptMessage;

impl PartialSchema for PromptMessage {
    fn schema() -> RefOr<Schema> {
        let message = || ObjectBuilder::new().property("role", one_of(ROLES)).required("role");
        let says = message().property("content", content()).required("content");
        let calls = message()
            .property("content", ObjectBuilder::new().schema_type(Type::Null))
            .property("tool_calls", any_but_null())
            .required("tool_calls");
        let description = "With a content, or calls of tools and none. Fields beside these are kept";
        AnyOfBuilder::new().item(says).item(calls).description(Some(description)).into()
    }
}

impl ToSchema for PromptMessage {}

/// Text, or a list of parts.
fn content() -> AnyOfBuilder {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let part = |kind| ObjectBuilder::new().property("type", kind).required("type");
    let said = part(one_of(&["text"])).property("text", text()).required("text");
    let other = part(text().pattern(Some("^(?!text$)")));
    let parts = ArrayBuilder::new().items(AnyOfBuilder::new().item(said).item(other));
    AnyOfBuilder::new().item(text()).item(parts)
}

#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct PromptLabelIn {
    /// Where the label points from now on
    #[schema(minimum = 1, maximum = 9_223_372_036_854_775_807_i64)]
    pub version: i64,
    /// Only if it points there now; 0: only if it is not set
    #[schema(minimum = 0, maximum = 9_223_372_036_854_775_807_i64)]
    pub from_version: Option<i64>,
}
