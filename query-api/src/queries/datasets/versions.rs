//! `GET /datasets/{id}/versions`, the newest first.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::parameters::DATASET_VERSIONS_QUERY;
use runtime::http::rfc3339;
use time::OffsetDateTime;

use super::documents::{DatasetVersionList, DatasetVersionOut};
use super::find::{WHAT, find, path_id};
use crate::cursor::Cursor;
use crate::params::Params;
use crate::state::AppState;

#[derive(sqlx::FromRow)]
struct Row {
    version: i64,
    change: String,
    item_count: i64,
    created_at: OffsetDateTime,
}

pub async fn versions(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
    Query(pairs): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Json<DatasetVersionList>, Problem> {
    let mut params = Params::new(pairs, DATASET_VERSIONS_QUERY);
    let limit = params.whole("limit");
    let id = path_id(&id, WHAT)?;
    let purpose = format!("dataset versions\0{id}");
    let cursor = Cursor::asked(&mut params, &state.signer, &purpose);
    params.finish()?;
    let workspace = state.postgres.of(&principal).await?;
    let of = state.resource(&headers, &principal, WHAT, || find(&workspace, id, None)).await?;
    let mut query = workspace.select("version, change, item_count, created_at", "@dataset_versions");
    query.push(" AND dataset_id = ").push_bind(id);
    if let Some(before) = cursor.and_then(|cursor| cursor.value.parse::<i64>().ok()) {
        query.push(" AND version < ").push_bind(before);
    }
    query.push(format!(" ORDER BY version DESC LIMIT {}", limit + 1));
    let mut rows: Vec<Row> = workspace.all(query).await?;
    let is_more = rows.len() as u64 > limit;
    rows.truncate(limit as usize);
    let next_cursor = rows.last().filter(|_| is_more).map(|last| {
        let cursor = Cursor { value: last.version.to_string(), id: id.to_string() };
        cursor.write(&state.signer, &purpose)
    });
    let versions = rows.into_iter().map(shown).collect();
    Ok(Json(DatasetVersionList { id: id.to_string(), versions, total: of.latest_version, limit, next_cursor }))
}

fn shown(row: Row) -> DatasetVersionOut {
    DatasetVersionOut {
        version: row.version,
        change: row.change,
        item_count: row.item_count,
        created_at: rfc3339(row.created_at),
    }
}
