//! `GET /api-keys/all/{id}`.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use runtime::Problem;
use runtime::auth::Principal;
use schemas::ids;
use uuid::Uuid;

use super::documents::{COLUMNS, KeyRow, NamedApiKeyOut};
use super::visible;
use crate::state::AppState;
use crate::stores::Workspace;

pub async fn get(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let id = path_id(&id)?;
    let workspace = state.postgres.of(&principal).await?;
    let row = state.resource(&headers, &principal, "API key", || find(&workspace, &principal, id)).await?;
    let tag = format!("\"{}\"", row.version);
    Ok(([(header::ETAG, tag)], Json(NamedApiKeyOut::from(row))).into_response())
}

async fn find(workspace: &Workspace, principal: &Principal, id: Uuid) -> Result<Option<KeyRow>, Problem> {
    let mut query = workspace.select(COLUMNS, "@api_keys");
    query.push(" AND key_id = ").push_bind(id);
    visible(principal, &mut query);
    workspace.one(query).await
}

/// No other text can name a key.
fn path_id(id: &str) -> Result<Uuid, Problem> {
    ids::resource_id(id).and_then(|id| Uuid::try_parse(&id).ok()).ok_or_else(|| Problem::not_found("API key"))
}
