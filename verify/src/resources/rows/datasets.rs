//! Rows of datasets, their versions and their items.

use std::collections::BTreeMap;

use schemas::events::DatasetItemContent;
use schemas::events::datasets::DatasetItemSizes;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::super::datasets::{Dataset, ItemState};
use super::{keyed, micros};
use crate::verify::Report;
use crate::workspace::both;

type Key = (String, String);

pub struct Rows {
    datasets: BTreeMap<Key, Row>,
    /// By (dataset, version).
    versions: BTreeMap<(Key, i64), VersionRow>,
    /// By (dataset, item, from version).
    items: BTreeMap<(Key, String, i64), ItemRow>,
    /// By (dataset, item).
    imports: BTreeMap<(Key, String), ImportRow>,
}

#[derive(sqlx::FromRow)]
struct KeyRow {
    tenant: String,
    dataset_id: Uuid,
}

#[derive(sqlx::FromRow)]
struct Row {
    name_hash: Vec<u8>,
    name: String,
    description: String,
    version: i64,
    item_count: i64,
    last_position: i64,
    created_by: String,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
}

#[derive(sqlx::FromRow)]
struct VersionRow {
    version: i64,
    change: String,
    item_count: i64,
    last_position: i64,
    created_at: OffsetDateTime,
}

#[derive(sqlx::FromRow)]
struct ItemRow {
    item_id: Uuid,
    from_version: i64,
    to_version: i64,
    position: i64,
    erased: bool,
    created_by: String,
    created_at: OffsetDateTime,
    updated_by: String,
    updated_at: OffsetDateTime,
    #[sqlx(flatten)]
    shown: Shown,
}

#[derive(sqlx::FromRow)]
struct ImportRow {
    item_id: Uuid,
    import_id: Uuid,
    place: i64,
    created_by: String,
    came_at: OffsetDateTime,
    #[sqlx(flatten)]
    shown: Shown,
}

/// What an item says, with the sizes of that.
#[derive(sqlx::FromRow)]
struct Shown {
    input_bytes: i64,
    expected_output_bytes: i64,
    metadata_bytes: i64,
    source_bytes: i64,
    input: Option<String>,
    expected_output: Option<String>,
    metadata: Option<String>,
    source: Option<String>,
}

/// A row as the fold has it.
struct Expected<'a> {
    position: i64,
    to: i64,
    erased: bool,
    created_by: Option<&'a str>,
    created_at: i64,
    state: &'a ItemState,
}

impl Rows {
    pub async fn read(snapshot: &mut PgConnection, schema: &str) -> anyhow::Result<Rows> {
        let datasets: Vec<(KeyRow, Row)> = keyed(snapshot, schema, "datasets").await?;
        let versions: Vec<(KeyRow, VersionRow)> = keyed(snapshot, schema, "dataset_versions").await?;
        let items: Vec<(KeyRow, ItemRow)> = keyed(snapshot, schema, "dataset_items").await?;
        let imports: Vec<(KeyRow, ImportRow)> = keyed(snapshot, schema, "dataset_imports").await?;
        let key = |key: KeyRow| (key.tenant, key.dataset_id.to_string());
        Ok(Rows {
            datasets: datasets.into_iter().map(|(of, row)| (key(of), row)).collect(),
            versions: versions.into_iter().map(|(of, row)| ((key(of), row.version), row)).collect(),
            items: items
                .into_iter()
                .map(|(of, row)| ((key(of), row.item_id.to_string(), row.from_version), row))
                .collect(),
            imports: imports.into_iter().map(|(of, row)| ((key(of), row.item_id.to_string()), row)).collect(),
        })
    }

    pub fn compare(&self, expected: &BTreeMap<Key, Dataset>, report: &mut Report) {
        for key in both(expected, &self.datasets) {
            let name = format!("{}/{}", key.0, key.1);
            let (dataset, row) = (expected.get(key), self.datasets.get(key));
            report.compared("datasets");
            report.field("datasets", &name, "exists", &dataset.is_some(), &row.is_some());
            if let (Some(dataset), Some(row)) = (dataset, row) {
                compare_dataset(&name, dataset, row, report);
            }
        }
        self.compare_versions(expected, report);
        self.compare_items(expected, report);
        self.compare_imports(expected, report);
    }

    fn compare_versions(&self, expected: &BTreeMap<Key, Dataset>, report: &mut Report) {
        let mut versions = BTreeMap::new();
        for (key, dataset) in expected {
            versions.extend((1..).zip(&dataset.versions).map(|(number, version)| ((key.clone(), number), version)));
        }
        for key in both(&versions, &self.versions) {
            let name = format!("{}/{} {}", key.0.0, key.0.1, key.1);
            let expected = versions.get(key).map(|version| {
                (version.change.to_owned(), version.item_count, version.last_position, version.created_at)
            });
            let found = self
                .versions
                .get(key)
                .map(|row| (row.change.clone(), row.item_count, row.last_position, micros(row.created_at)));
            report.compared("dataset_versions");
            report.field("dataset_versions", &name, "row", &expected, &found);
        }
    }

    fn compare_items(&self, expected: &BTreeMap<Key, Dataset>, report: &mut Report) {
        let mut items = BTreeMap::new();
        for (key, dataset) in expected {
            for (position, item) in (1..).zip(&dataset.items) {
                let Some(first) = item.states.first() else { continue };
                for (nth, state) in item.states.iter().enumerate() {
                    let row = Expected {
                        position,
                        to: item.states.get(nth + 1).map(|next| next.from).or(item.ended).unwrap_or(i64::MAX),
                        erased: item.erased,
                        created_by: first.content.as_ref().map(|content| content.user_id.as_str()),
                        created_at: first.updated_at,
                        state,
                    };
                    items.insert((key.clone(), item.id.clone(), state.from), row);
                }
            }
        }
        for key in both(&items, &self.items) {
            let name = format!("{}/{} {} {}", key.0.0, key.0.1, key.1, key.2);
            let (item, row) = (items.get(key), self.items.get(key));
            report.compared("dataset_items");
            report.field("dataset_items", &name, "exists", &item.is_some(), &row.is_some());
            if let (Some(item), Some(row)) = (item, row) {
                compare_item(&name, item, row, report);
            }
        }
    }

    fn compare_imports(&self, expected: &BTreeMap<Key, Dataset>, report: &mut Report) {
        let mut waiting = BTreeMap::new();
        for (key, dataset) in expected {
            waiting.extend(dataset.waiting.iter().map(|(id, item)| ((key.clone(), id.clone()), item)));
        }
        for key in both(&waiting, &self.imports) {
            let name = format!("{}/{} {}", key.0.0, key.0.1, key.1);
            let (item, row) = (waiting.get(key), self.imports.get(key));
            report.compared("dataset_imports");
            report.field("dataset_imports", &name, "exists", &item.is_some(), &row.is_some());
            let (Some(item), Some(row)) = (item, row) else { continue };
            let place = (item.import_id.clone(), item.place, item.came_at);
            let found = (row.import_id.to_string(), row.place, micros(row.came_at));
            report.field("dataset_imports", &name, "place", &place, &found);
            report.field("dataset_imports", &name, "sizes", &sizes(item.sizes), &row.shown.sizes());
            match &item.content {
                Some(content) => {
                    let found = row.shown.content(&row.created_by);
                    report.field("dataset_imports", &name, "content", &shown(content), &found);
                }
                None => report.skip("dataset_imports"),
            }
        }
    }
}

fn compare_dataset(name: &str, dataset: &Dataset, row: &Row, report: &mut Report) {
    let (Some(first), Some(last)) = (dataset.versions.first(), dataset.versions.last()) else { return };
    report.field("datasets", name, "name_hash", &dataset.name_hash.to_vec(), &row.name_hash);
    report.field("datasets", name, "version", &dataset.version(), &row.version);
    report.field("datasets", name, "item_count", &dataset.item_count, &row.item_count);
    report.field("datasets", name, "last_position", &(dataset.items.len() as i64), &row.last_position);
    report.field("datasets", name, "created_at", &first.created_at, &micros(row.created_at));
    report.field("datasets", name, "updated_at", &last.created_at, &micros(row.updated_at));
    let Some(content) = &dataset.content else { return report.skip("datasets") };
    report.field("datasets", name, "name", &content.name.clone().unwrap_or_default(), &row.name);
    report.field("datasets", name, "description", &content.description.clone().unwrap_or_default(), &row.description);
    report.field("datasets", name, "created_by", &content.user_id, &row.created_by);
}

fn compare_item(name: &str, item: &Expected<'_>, row: &ItemRow, report: &mut Report) {
    let place = (item.position, item.to, item.erased);
    report.field("dataset_items", name, "place", &place, &(row.position, row.to_version, row.erased));
    report.field("dataset_items", name, "sizes", &sizes(item.state.sizes), &row.shown.sizes());
    report.field("dataset_items", name, "created_at", &item.created_at, &micros(row.created_at));
    report.field("dataset_items", name, "updated_at", &item.state.updated_at, &micros(row.updated_at));
    let nothing = DatasetItemContent::default();
    let (content, created_by) = match (item.erased, &item.state.content, item.created_by) {
        (true, ..) => (&nothing, ""),
        (false, Some(content), Some(created_by)) => (content, created_by),
        _ => return report.skip("dataset_items"),
    };
    report.field("dataset_items", name, "created_by", &created_by, &row.created_by.as_str());
    report.field("dataset_items", name, "content", &shown(content), &row.shown.content(&row.updated_by));
}

fn sizes(sizes: DatasetItemSizes) -> [i64; 4] {
    [sizes.input, sizes.expected_output, sizes.metadata, sizes.source].map(|size| size.unwrap_or(0))
}

/// What is empty is none.
fn shown(content: &DatasetItemContent) -> DatasetItemContent {
    let part = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    DatasetItemContent {
        user_id: content.user_id.clone(),
        input: part(&content.input),
        expected_output: part(&content.expected_output),
        metadata: part(&content.metadata),
        source: part(&content.source),
    }
}

impl Shown {
    fn sizes(&self) -> [i64; 4] {
        [self.input_bytes, self.expected_output_bytes, self.metadata_bytes, self.source_bytes]
    }

    fn content(&self, user_id: &str) -> DatasetItemContent {
        DatasetItemContent {
            user_id: user_id.to_owned(),
            input: self.input.clone(),
            expected_output: self.expected_output.clone(),
            metadata: self.metadata.clone(),
            source: self.source.clone(),
        }
    }
}
