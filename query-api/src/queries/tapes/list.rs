//! `GET /tapes`: your own, the newest first.

use axum::Json;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::parameters::TAPES_QUERY;
use runtime::position::Topic;

use super::documents::{TapeList, TapeRow};
use crate::pages::{Page, Place};
use crate::params::Params;
use crate::state::AppState;

pub async fn list(
    State(state): State<AppState>,
    principal: Principal,
    Query(pairs): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Json<TapeList>, Problem> {
    let mut params = Params::new(pairs, TAPES_QUERY);
    let page = Page::read(&mut params, &state.signer, "tapes".to_owned());
    params.finish()?;
    state.freshness.after(&state.signer, &headers, Topic::Workspace).await?;
    let workspace = state.postgres.of(&principal).await?;
    let mut query = workspace.select("*", "@tapes");
    page.end(&mut query, "created_at", "tape_id");
    let mut rows: Vec<TapeRow> = workspace.all(query).await?;
    let place = |row: &TapeRow| Place { created_at: row.created_at, id: row.tape_id };
    let next_cursor = page.next_cursor(&state.signer, &mut rows, place);
    let (total, total_is) = page.total(&workspace, workspace.counted("@tapes")).await?;
    let tapes = rows.into_iter().map(|row| row.shown_to_its_owner(&state.base_url)).collect();
    Ok(Json(TapeList { tapes, total, total_is, limit: page.limit, offset: page.offset, next_cursor }))
}
