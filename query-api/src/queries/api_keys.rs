//! Whether the caller has an API key.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::rfc3339;
use runtime::position::Topic;
use serde::Serialize;
use utoipa::ToSchema;

use crate::state::AppState;

#[derive(Serialize, ToSchema)]
pub struct ApiKeyOut {
    pub exists: bool,
    pub prefix: Option<String>,
    pub created_at: Option<String>,
    pub last_used_at: Option<String>,
}

pub async fn get(
    State(state): State<AppState>,
    principal: Principal,
    headers: HeaderMap,
) -> Result<Json<ApiKeyOut>, Problem> {
    state.freshness.after(&state.signer, &headers, Topic::Workspace).await?;
    let key = state.postgres.api_key(&principal).await?;
    Ok(Json(ApiKeyOut {
        exists: key.is_some(),
        created_at: key.as_ref().map(|key| rfc3339(key.created_at)),
        prefix: key.map(|key| key.prefix),
        last_used_at: None,
    }))
}
