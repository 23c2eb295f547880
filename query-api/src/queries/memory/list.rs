//! `GET /memory`: the newest first, without what has expired.

use axum::Json;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::parameters::MEMORY_QUERY;
use runtime::position::Topic;

use super::documents::{COLUMNS, MemoryList, MemoryRow};
use super::filters::Filters;
use crate::pages::{Page, Place};
use crate::params::Params;
use crate::state::AppState;

pub async fn list(
    State(state): State<AppState>,
    principal: Principal,
    Query(pairs): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Json<MemoryList>, Problem> {
    let mut params = Params::new(pairs, MEMORY_QUERY);
    let filters = Filters::read(&mut params);
    let page = Page::read(&mut params, &state.signer, format!("memory\0{filters:?}"));
    params.finish()?;
    state.freshness.after(&state.signer, &headers, Topic::Workspace).await?;
    let workspace = state.postgres.of(&principal).await?;
    let mut query = workspace.select(COLUMNS, "@memory");
    filters.narrow(&mut query);
    page.end(&mut query, "created_at", "memory_id");
    let mut rows: Vec<MemoryRow> = workspace.all(query).await?;
    let place = |row: &MemoryRow| Place { created_at: row.created_at, id: row.memory_id };
    let next_cursor = page.next_cursor(&state.signer, &mut rows, place);
    let mut counted = workspace.counted("@memory");
    filters.narrow(&mut counted);
    let (total, total_is) = page.total(&workspace, counted).await?;
    let memories = rows.into_iter().map(Into::into).collect();
    Ok(Json(MemoryList { memories, total, total_is, limit: page.limit, offset: page.offset, next_cursor }))
}
