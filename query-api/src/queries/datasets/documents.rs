//! The answers.

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
pub struct DatasetOut {
    #[serde(flatten)]
    pub dataset: DatasetSummary,
    /// The first ones of this version, in the order of their coming
    pub items: Vec<DatasetItemOut>,
    /// For `cursor` of the list of items, where more follow
    pub items_cursor: Option<String>,
}

/// A dataset without its items.
#[derive(Serialize, ToSchema)]
pub struct DatasetSummary {
    pub id: String,
    /// As it is now, as is the description
    pub name: String,
    pub description: String,
    /// The one that is shown: every change of the items makes the next one, and so does one of the name or description
    pub version: i64,
    pub latest_version: i64,
    /// In this version
    pub item_count: i64,
    pub created_by: String,
    pub created_at: String,
    /// When this version came
    pub updated_at: String,
}

#[derive(Serialize, ToSchema)]
pub struct DatasetList {
    pub datasets: Vec<DatasetSummary>,
    pub total: u64,
    /// `at_least` where the total was not counted to its end
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_is: Option<&'static str>,
    pub limit: u64,
    pub offset: u64,
    pub next_cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct DatasetItemOut {
    pub id: String,
    /// Its place in the order of coming, which it keeps
    pub position: i64,
    /// The dataset's version that made it as it is shown; it is the ETag
    pub version: i64,
    /// Any JSON, as it was sent; null of a trace or span without one
    #[schema(value_type = serde_json::Value)]
    pub input: Option<Box<RawValue>>,
    /// Any JSON, as it was sent
    #[schema(value_type = serde_json::Value)]
    pub expected_output: Option<Box<RawValue>>,
    /// Any JSON, as it was sent
    #[schema(value_type = serde_json::Value)]
    pub metadata: Option<Box<RawValue>>,
    /// The trace or span that it is a snapshot of: `trace_id`, `span_id`, `name`, `span_type`, `models`, `started_at`,
    /// and `output` where something else is expected
    #[schema(value_type = Option<Object>)]
    pub source: Option<Box<RawValue>>,
    /// SHA-256 of input, expected output and metadata, whatever their white space: items that say the same share it
    pub content_hash: Option<String>,
    /// What it said is gone from all versions
    pub erased: bool,
    pub created_by: String,
    pub created_at: String,
    pub updated_by: String,
    pub updated_at: String,
}

#[derive(Serialize, ToSchema)]
pub struct DatasetItemList {
    /// In the order of their coming; a page of long ones has fewer
    pub items: Vec<DatasetItemOut>,
    /// Of the dataset: all pages that the cursor leads to are of it
    pub version: i64,
    /// How many items this version has
    pub total: i64,
    pub limit: u64,
    pub next_cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct DatasetVersionOut {
    pub version: i64,
    /// `created`, `changed`, `item added`, `item changed`, `item deleted` or `items imported`
    pub change: String,
    pub item_count: i64,
    pub created_at: String,
}

#[derive(Serialize, ToSchema)]
pub struct DatasetVersionList {
    pub id: String,
    /// The newest first
    pub versions: Vec<DatasetVersionOut>,
    /// How many there are in all
    pub total: i64,
    pub limit: u64,
    pub next_cursor: Option<String>,
}
