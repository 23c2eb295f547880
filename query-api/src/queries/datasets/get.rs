//! `GET /datasets/{id}`: with the first of its items, as it is now or in one of its versions.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::parameters::DATASET_QUERY;

use super::documents::DatasetOut;
use super::find::{WHAT, find, path_id};
use super::page::{Page, Start};
use crate::params::Params;
use crate::state::AppState;

pub async fn get(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
    Query(pairs): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut params = Params::new(pairs, DATASET_QUERY);
    let limit = params.whole("limit");
    let id = path_id(&id, WHAT)?;
    let start = Start::read(&mut params, &state.signer, &id.to_string());
    params.finish()?;
    let workspace = state.postgres.of(&principal).await?;
    let row = state.resource(&headers, &principal, WHAT, || find(&workspace, id, start.version)).await?;
    let page = Page::read(&workspace, &row, start.after, limit).await?;
    let items_cursor = page.next_cursor(&state.signer, &row, start.after);
    let tag = format!("\"{}\"", row.version);
    let items = page.items.into_iter().map(Into::into).collect();
    Ok(([(header::ETAG, tag)], Json(DatasetOut { dataset: row.into(), items, items_cursor })).into_response())
}
