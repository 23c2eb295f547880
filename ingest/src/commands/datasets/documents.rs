//! The bodies as the OpenAPI document shows them; [`super::parse`] and [`super::lines`] read them field by field.

use utoipa::ToSchema;

use crate::documents::any_but_null;

/// A dataset without items. Unknown fields are ignored.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct DatasetIn {
    /// Unique
    #[schema(max_length = 256, pattern = r"^[^\u0000]*\S[^\u0000]*$")]
    pub name: String,
    #[schema(max_length = 16_384, pattern = r"^[^\u0000]*$")]
    pub description: Option<String>,
}

/// What of a dataset changes; at least one field.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct DatasetPatch {
    #[schema(max_length = 256, pattern = r"^[^\u0000]*\S[^\u0000]*$")]
    pub name: Option<String>,
    #[schema(max_length = 16_384, pattern = r"^[^\u0000]*$")]
    pub description: Option<String>,
}

/// An item by hand, with an `input`, or a snapshot of a trace or a span. JSON is kept as it is sent: at most 262144
/// bytes each, and 524288 together. Unknown fields are ignored.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct DatasetItemIn {
    /// Whose input and output, metadata and name the item keeps, whatever becomes of it
    #[schema(pattern = "^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32})$")]
    pub trace_id: Option<String>,
    /// Of this trace
    #[schema(pattern = "^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{16})$")]
    pub span_id: Option<String>,
    /// Any JSON but null; not beside `trace_id`
    pub input: Option<serde_json::Value>,
    /// Any JSON; default: the output of the trace or span
    pub expected_output: Option<serde_json::Value>,
    /// Any JSON; default: the metadata of the trace or span
    pub metadata: Option<serde_json::Value>,
}

/// What of an item changes; at least one field. `null` takes `expected_output` or `metadata` away.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct DatasetItemPatch {
    #[schema(schema_with = any_but_null)]
    pub input: Option<serde_json::Value>,
    pub expected_output: Option<serde_json::Value>,
    pub metadata: Option<serde_json::Value>,
}

/// As an export has them: lines of JSON, or CSV with a header. Of `input`, `expected_output`, `metadata` and `source`
/// the first is needed, but where there is a `source`: the trace or span that the item is of. An `id` is ignored, and
/// so are other fields of JSON. A cell of CSV is JSON, or else text; one that begins like a list, an object or a text of
/// JSON must be one. At most 10000 items.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct DatasetLines(String);
