//! A user's current key: it may all that its user may, and a new one replaces it.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use runtime::Problem;
use runtime::auth::{Principal, new_key, prefix_of};
use runtime::http::RequestNames;
use schemas::events::ApiKeyRevoked;
use schemas::{Event, ids, topics};

use super::documents::ApiKeyCreatedOut;
use super::{already_created, created_event, rights};
use crate::append::Caller;
use crate::idempotency::Claimed;
use crate::state::AppState;

pub async fn post(
    State(state): State<AppState>,
    principal: Principal,
    names: RequestNames,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    rights::lives_no_longer(&principal, None)?;
    let configured = &state.settings.api_key_prefix;
    let claim = match Claimed::of(&state, &principal, "POST /api-keys", &headers, b"").await? {
        Claimed::Answered(answer) => return Err(already_created(&answer)),
        Claimed::Fresh(claim) => Some(claim),
        Claimed::Unasked => None,
    };
    state.workspace_reachable().await?;
    let key = new_key(configured).map_err(Problem::internal)?;
    let prefix = prefix_of(&key, configured);
    let caller = Caller { principal: &principal, names: &names };
    let partition = topics::tenant_partition(&principal.tenant, topics::PARTITIONS);
    let event = created_event(&principal, &key, configured);
    let (position, record) =
        state.append_at(&caller, partition, &principal.user, vec![(ids::event_id(), event)]).await?;
    if let Some(claim) = claim {
        claim.keep(StatusCode::CREATED, &serde_json::json!({ "prefix": prefix }), &position).await;
    }
    state.progress.reaches(record).await;
    let created_at = runtime::http::rfc3339(time::OffsetDateTime::now_utc());
    let body = ApiKeyCreatedOut { key, prefix, created_at };
    Ok((StatusCode::CREATED, [("x-retrace-position", position)], Json(body)).into_response())
}

pub async fn delete(
    State(state): State<AppState>,
    principal: Principal,
    names: RequestNames,
) -> Result<Response, Problem> {
    if !state.in_force.keys.has_key(&principal) {
        return Err(Problem::not_found("API key"));
    }
    let caller = Caller { principal: &principal, names: &names };
    let partition = topics::tenant_partition(&principal.tenant, topics::PARTITIONS);
    let event = Event::ApiKeyRevoked(ApiKeyRevoked { user: principal.user.clone() });
    let (position, record) =
        state.append_at(&caller, partition, &principal.user, vec![(ids::event_id(), event)]).await?;
    state.in_force.followed(record).await;
    Ok((StatusCode::NO_CONTENT, [("x-retrace-position", position)]).into_response())
}
