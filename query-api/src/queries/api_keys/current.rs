//! `GET /api-keys`: whether the caller has a current key.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::rfc3339;
use runtime::position::Topic;
use time::OffsetDateTime;

use super::documents::ApiKeyOut;
use crate::state::AppState;

type Row = (String, OffsetDateTime, Option<OffsetDateTime>);

pub async fn get(
    State(state): State<AppState>,
    principal: Principal,
    headers: HeaderMap,
) -> Result<Json<ApiKeyOut>, Problem> {
    state.freshness.after(&state.signer, &headers, Topic::Workspace).await?;
    let workspace = state.postgres.of(&principal).await?;
    let mut query = workspace.select("prefix, created_at, last_used_at", "@api_keys");
    query.push(" AND is_current AND user_id = ").push_bind(principal.user.clone());
    let key: Option<Row> = workspace.one(query).await?;
    Ok(Json(match key {
        None => ApiKeyOut { exists: false, prefix: None, created_at: None, last_used_at: None },
        Some((prefix, created_at, last_used_at)) => ApiKeyOut {
            exists: true,
            prefix: Some(prefix),
            created_at: Some(rfc3339(created_at)),
            last_used_at: last_used_at.map(rfc3339),
        },
    }))
}
