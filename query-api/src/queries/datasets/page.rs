//! Items of one version of a dataset, in the order of their coming, a page at a time.

use runtime::Problem;
use runtime::http::rfc3339;
use runtime::position::Signer;
use serde_json::value::RawValue;
use sqlx::QueryBuilder;
use time::OffsetDateTime;
use uuid::Uuid;

use super::documents::DatasetItemOut;
use super::find::{DatasetRow, WHAT};
use super::hash;
use crate::cursor::Cursor;
use crate::params::Params;
use crate::stores::Workspace;

/// A page of longer items ends earlier.
const MOST_BYTES: i64 = 4 << 20;

pub const COLUMNS: &str = "item_id, position, from_version, erased, input, expected_output, metadata, source, created_by, \
                           created_at, updated_by, updated_at";

#[derive(sqlx::FromRow)]
pub struct ItemRow {
    pub item_id: Uuid,
    pub position: i64,
    pub from_version: i64,
    pub erased: bool,
    pub input: Option<String>,
    pub expected_output: Option<String>,
    pub metadata: Option<String>,
    pub source: Option<String>,
    pub created_by: String,
    pub created_at: OffsetDateTime,
    pub updated_by: String,
    pub updated_at: OffsetDateTime,
}

#[derive(sqlx::FromRow)]
struct PageRow {
    /// With those beyond the page.
    matched: i64,
    #[sqlx(flatten)]
    item: ItemRow,
}

pub struct Page {
    pub items: Vec<ItemRow>,
    pub is_last: bool,
}

/// Where a page begins: in a version, behind a position.
pub struct Start {
    pub version: Option<i64>,
    pub after: i64,
}

impl Start {
    /// The parameters `version` and `cursor`; the cursor keeps to the version that it came from.
    pub fn read(params: &mut Params, signer: &Signer, id: &str) -> Start {
        let version = params.whole_if_given("version").and_then(|version| i64::try_from(version).ok());
        let Some(cursor) = Cursor::asked(params, signer, &purpose(id)) else { return Start { version, after: 0 } };
        // It is signed, so that it can only be one of ours.
        let (after, of) = (cursor.value.parse().unwrap_or(0), cursor.id.parse().ok());
        if version.is_some() && version != of {
            params.fault("cursor is of another version of the dataset".to_owned());
        }
        Start { version: of, after }
    }
}

impl Page {
    pub async fn read(workspace: &Workspace, of: &DatasetRow, after: i64, limit: u64) -> Result<Page, Problem> {
        if limit == 0 {
            return Ok(Page { items: Vec::new(), is_last: after >= of.last_position || of.item_count == 0 });
        }
        // What is there now has an index of its own: of an older version, it is passed by what is there no more.
        if of.version == of.latest_version {
            let page = Page::rows(workspace, of, after, limit, "to_version = 9223372036854775807").await?;
            let mut query = workspace.select("version", "@datasets");
            query.push(" AND dataset_id = ").push_bind(of.dataset_id);
            let now: Option<(i64,)> = workspace.one(query).await?;
            let (now,) = now.ok_or_else(|| Problem::not_found(WHAT))?;
            if now == of.version {
                return Ok(page);
            }
        }
        let then = format!("from_version <= {0} AND to_version > {0}", of.version);
        Page::rows(workspace, of, after, limit, &then).await
    }

    async fn rows(
        workspace: &Workspace,
        of: &DatasetRow,
        after: i64,
        limit: u64,
        condition: &str,
    ) -> Result<Page, Problem> {
        // The window sums sizes before any of the long texts is fetched.
        let columns = QueryBuilder::new(format!(
            "SELECT {COLUMNS}, matched FROM (SELECT page.*, sum(bytes) OVER (ORDER BY position) AS upto,
                                                    count(*) OVER () AS matched
             FROM (SELECT {COLUMNS}, input_bytes + expected_output_bytes + metadata_bytes + source_bytes AS bytes"
        ));
        let mut query = workspace.select_by(columns, "@dataset_items");
        query.push(" AND dataset_id = ").push_bind(of.dataset_id);
        query.push(" AND position > ").push_bind(after);
        query.push(" AND position <= ").push_bind(of.last_position);
        query.push(format!(
            " AND {condition} ORDER BY position LIMIT {}) AS page) AS page
             WHERE upto - bytes < {MOST_BYTES} ORDER BY position",
            limit + 1
        ));
        let mut rows: Vec<PageRow> = workspace.all(query).await?;
        rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let is_last = rows.last().is_none_or(|last| last.matched == rows.len() as i64);
        Ok(Page { items: rows.into_iter().map(|row| row.item).collect(), is_last })
    }

    pub fn next_cursor(&self, signer: &Signer, of: &DatasetRow, after: i64) -> Option<String> {
        if self.is_last {
            return None;
        }
        let last = self.items.last().map_or(after, |item| item.position);
        let cursor = Cursor { value: last.to_string(), id: of.version.to_string() };
        Some(cursor.write(signer, &purpose(&of.dataset_id.to_string())))
    }
}

/// Cursors of a dataset with its items and of its list of items are the same.
fn purpose(id: &str) -> String {
    format!("dataset items\0{id}")
}

impl From<ItemRow> for DatasetItemOut {
    fn from(row: ItemRow) -> DatasetItemOut {
        let parts = [row.input.as_deref(), row.expected_output.as_deref(), row.metadata.as_deref()];
        // The command side has checked it.
        let json = |text: Option<String>| text.and_then(|text| RawValue::from_string(text).ok());
        DatasetItemOut {
            id: row.item_id.to_string(),
            position: row.position,
            version: row.from_version,
            content_hash: (!row.erased).then(|| hash::of(parts)),
            erased: row.erased,
            input: json(row.input),
            expected_output: json(row.expected_output),
            metadata: json(row.metadata),
            source: json(row.source),
            created_by: row.created_by,
            created_at: rfc3339(row.created_at),
            updated_by: row.updated_by,
            updated_at: rfc3339(row.updated_at),
        }
    }
}
