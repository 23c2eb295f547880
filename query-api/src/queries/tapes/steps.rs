//! The lines of a tape, as they stand in it.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use runtime::Problem;
use runtime::http::parameters::TAPE_STEPS_QUERY;
use uuid::Uuid;

use super::documents::{TapeSteps, TapeTrace, json};
use super::find::find;
use crate::params::Params;
use crate::state::AppState;
use crate::stores::Workspace;

pub async fn steps(
    State(state): State<AppState>,
    Path(slug): Path<String>,
    Query(pairs): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Json<TapeSteps>, Problem> {
    let mut params = Params::new(pairs, TAPE_STEPS_QUERY);
    let (from, limit) = (params.whole("from"), params.whole("limit"));
    params.finish()?;
    let (tape, workspace) = find(&state, &headers, &slug).await?;
    let lines = lines(&workspace, tape.tape_id, from as i64, limit as i64).await?;
    Ok(Json(TapeSteps { from, total: tape.steps, steps: lines.into_iter().map(json).collect() }))
}

pub async fn trace(
    State(state): State<AppState>,
    Path(slug): Path<String>,
    headers: HeaderMap,
) -> Result<Json<TapeTrace>, Problem> {
    let (tape, workspace) = find(&state, &headers, &slug).await?;
    let line = lines(&workspace, tape.tape_id, 0, 1).await?.pop();
    Ok(Json(TapeTrace { trace: json(line.unwrap_or_default()) }))
}

/// In their order, each put together from its pieces.
pub async fn lines(workspace: &Workspace, tape: Uuid, from: i64, count: i64) -> Result<Vec<String>, Problem> {
    let mut query = workspace.select("string_agg(text, '' ORDER BY piece)", "@tape_pieces");
    query.push(" AND tape_id = ").push_bind(tape);
    query.push(" AND line >= ").push_bind(from).push(" AND line < ").push_bind(from.saturating_add(count));
    query.push(" GROUP BY line ORDER BY line");
    let lines: Vec<(String,)> = workspace.all(query).await?;
    Ok(lines.into_iter().map(|(line,)| line).collect())
}
