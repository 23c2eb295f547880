//! Datasets and their items. What comes of a command is decided in the fold, by what is in the clear (ADR 0016, ADR 0017).

use serde::{Deserialize, Serialize};
use serde_bytes::ByteArray;

use crate::sealing::Sealed;

/// Of one part of an item, as JSON text.
pub const LONGEST_PART: usize = 262_144;
/// Of all parts of an item together.
pub const LONGEST_ITEM: i64 = 524_288;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DatasetCreated {
    pub dataset_id: String,
    /// [`crate::ids::name_hash`]
    pub name_hash: ByteArray<32>,
    pub content: Sealed,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DatasetChanged {
    pub dataset_id: String,
    #[serde(default)]
    pub if_match: Option<i64>,
    /// Of the new name, if there is one.
    #[serde(default)]
    pub name_hash: Option<ByteArray<32>>,
    pub content: Sealed,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DatasetDeleted {
    pub dataset_id: String,
    #[serde(default)]
    pub if_match: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DatasetItemAdded {
    pub dataset_id: String,
    pub item_id: String,
    /// How many items the dataset may have, as the settings were.
    pub most_items: i64,
    pub sizes: DatasetItemSizes,
    /// Under the name of the item, as all content of items: [`item_owner`].
    pub content: Sealed,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DatasetItemChanged {
    pub dataset_id: String,
    pub item_id: String,
    #[serde(default)]
    pub if_match: Option<i64>,
    pub sizes: DatasetItemSizes,
    pub content: Sealed,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DatasetItemDeleted {
    pub dataset_id: String,
    pub item_id: String,
    #[serde(default)]
    pub if_match: Option<i64>,
    /// Its content also goes out of the versions of the dataset that had it.
    pub erases: bool,
}

/// Some of an import's items, which count once the last ones come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DatasetItemsImported {
    pub dataset_id: String,
    /// What its events have in common.
    pub import_id: String,
    /// The place of the first of these items in the import; the places begin at 1.
    pub first: i64,
    /// How many items the import has.
    pub total: i64,
    pub most_items: i64,
    pub items: Vec<ImportedItem>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImportedItem {
    pub item_id: String,
    pub sizes: DatasetItemSizes,
    pub content: Sealed,
}

/// Bytes of JSON text of what the content says; 0: that there is none. In the clear, since it decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetItemSizes {
    #[serde(default)]
    pub input: Option<i64>,
    #[serde(default)]
    pub expected_output: Option<i64>,
    #[serde(default)]
    pub metadata: Option<i64>,
    #[serde(default)]
    pub source: Option<i64>,
}

/// The sealed part of [`DatasetCreated`] and [`DatasetChanged`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DatasetContent {
    pub user_id: String,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub description: Option<String>,
}

/// The sealed part of [`DatasetItemAdded`], [`DatasetItemChanged`] and [`ImportedItem`]. JSON as it was sent, empty for none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DatasetItemContent {
    pub user_id: String,
    #[serde(default)]
    pub input: Option<String>,
    #[serde(default)]
    pub expected_output: Option<String>,
    #[serde(default)]
    pub metadata: Option<String>,
    /// The trace or span that the item is a snapshot of.
    #[serde(default)]
    pub source: Option<String>,
}

impl DatasetItemsImported {
    /// With it the import is whole, if the others came.
    pub fn is_last(&self) -> bool {
        i64::try_from(self.items.len()).is_ok_and(|count| self.first + count > self.total)
    }
}

impl DatasetItemContent {
    pub fn sizes(&self) -> DatasetItemSizes {
        let size = |part: &Option<String>| part.as_ref().and_then(|part| i64::try_from(part.len()).ok());
        DatasetItemSizes {
            input: size(&self.input),
            expected_output: size(&self.expected_output),
            metadata: size(&self.metadata),
            source: size(&self.source),
        }
    }
}

/// What the log calls a dataset, and whose keys seal its content.
pub fn owner(dataset_id: &str) -> String {
    format!("datasets/{dataset_id}")
}

/// The same of an item: a part of the dataset, which goes with it, or before it.
pub fn item_owner(dataset_id: &str, item_id: &str) -> String {
    format!("datasets/{dataset_id}/items/{item_id}")
}
