//! `GET /memory/{id}`, unless it has expired.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use runtime::Problem;
use runtime::auth::Principal;
use schemas::ids;
use uuid::Uuid;

use super::documents::{COLUMNS, MemoryOut, MemoryRow};
use super::filters::IS_ALIVE;
use crate::state::AppState;

const WHAT: &str = "Memory entry";

pub async fn get(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    // No other text can name an entry.
    let id = ids::resource_id(&id).and_then(|id| Uuid::try_parse(&id).ok()).ok_or_else(|| Problem::not_found(WHAT))?;
    let workspace = state.postgres.of(&principal).await?;
    let find = || {
        let mut query = workspace.select(COLUMNS, "@memory");
        query.push(" AND memory_id = ").push_bind(id).push(IS_ALIVE);
        workspace.one::<MemoryRow>(query)
    };
    let row = state.resource(&headers, &principal, WHAT, find).await?;
    let tag = format!("\"{}\"", row.version);
    Ok(([(header::ETAG, tag)], Json(MemoryOut::from(row))).into_response())
}
