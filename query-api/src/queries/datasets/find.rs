//! A dataset in one of its versions.

use runtime::Problem;
use runtime::http::rfc3339;
use schemas::ids;
use time::OffsetDateTime;
use uuid::Uuid;

use super::documents::DatasetSummary;
use crate::stores::Workspace;

pub const WHAT: &str = "Dataset";

#[derive(Clone, sqlx::FromRow)]
pub struct DatasetRow {
    pub dataset_id: Uuid,
    pub name: String,
    pub description: String,
    pub version: i64,
    pub latest_version: i64,
    pub item_count: i64,
    /// Beyond it this version has no item.
    pub last_position: i64,
    pub created_by: String,
    pub created_at: OffsetDateTime,
    pub updated_at: OffsetDateTime,
}

/// No other text can name a dataset or an item.
pub fn path_id(id: &str, what: &str) -> Result<Uuid, Problem> {
    ids::resource_id(id).and_then(|id| Uuid::try_parse(&id).ok()).ok_or_else(|| Problem::not_found(what))
}

/// In its current version where none is asked for.
pub async fn find(workspace: &Workspace, id: Uuid, version: Option<i64>) -> Result<Option<DatasetRow>, Problem> {
    let mut query = workspace.select(
        "dataset_id, name, description, that.version, datasets.version AS latest_version, that.item_count,
         that.last_position, created_by, datasets.created_at, that.created_at AS updated_at",
        "@datasets AS datasets JOIN @dataset_versions AS that USING (tenant, dataset_id)",
    );
    query.push(" AND dataset_id = ").push_bind(id);
    match version {
        Some(version) => query.push(" AND that.version = ").push_bind(version),
        None => query.push(" AND that.version = datasets.version"),
    };
    workspace.one(query).await
}

impl From<DatasetRow> for DatasetSummary {
    fn from(row: DatasetRow) -> DatasetSummary {
        DatasetSummary {
            id: row.dataset_id.to_string(),
            name: row.name,
            description: row.description,
            version: row.version,
            latest_version: row.latest_version,
            item_count: row.item_count,
            created_by: row.created_by,
            created_at: rfc3339(row.created_at),
            updated_at: rfc3339(row.updated_at),
        }
    }
}
