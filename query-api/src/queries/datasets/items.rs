//! `GET /datasets/{id}/items`, and one of them: now or in a version of the dataset.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::parameters::{DATASET_ITEM_QUERY, DATASET_ITEMS_QUERY};

use super::documents::{DatasetItemList, DatasetItemOut};
use super::find::{WHAT, find, path_id};
use super::page::{COLUMNS, ItemRow, Page, Start};
use crate::params::Params;
use crate::state::AppState;

pub async fn list(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
    Query(pairs): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Json<DatasetItemList>, Problem> {
    let mut params = Params::new(pairs, DATASET_ITEMS_QUERY);
    let limit = params.whole("limit");
    let id = path_id(&id, WHAT)?;
    let start = Start::read(&mut params, &state.signer, &id.to_string());
    params.finish()?;
    let workspace = state.postgres.of(&principal).await?;
    let row = state.resource(&headers, &principal, WHAT, || find(&workspace, id, start.version)).await?;
    let page = Page::read(&workspace, &row, start.after, limit).await?;
    let next_cursor = page.next_cursor(&state.signer, &row, start.after);
    let items = page.items.into_iter().map(Into::into).collect();
    Ok(Json(DatasetItemList { items, version: row.version, total: row.item_count, limit, next_cursor }))
}

pub async fn get(
    State(state): State<AppState>,
    principal: Principal,
    Path((id, item)): Path<(String, String)>,
    Query(pairs): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut params = Params::new(pairs, DATASET_ITEM_QUERY);
    let version = params.whole_if_given("version").and_then(|version| i64::try_from(version).ok());
    params.finish()?;
    let (id, item) = (path_id(&id, WHAT)?, path_id(&item, "Item")?);
    let workspace = state.postgres.of(&principal).await?;
    let find = || {
        let mut query = workspace.select(COLUMNS, "@dataset_items");
        query.push(" AND dataset_id = ").push_bind(id).push(" AND item_id = ").push_bind(item);
        match version {
            Some(version) => {
                query.push(" AND from_version <= ").push_bind(version);
                query.push(" AND to_version > ").push_bind(version);
            }
            None => {
                query.push(" AND to_version = ").push_bind(i64::MAX);
            }
        }
        workspace.one::<ItemRow>(query)
    };
    let row = state.resource(&headers, &principal, "Item", find).await?;
    let tag = format!("\"{}\"", row.from_version);
    Ok(([(header::ETAG, tag)], Json(DatasetItemOut::from(row))).into_response())
}
