//! API keys: one current key a user, shown once.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use runtime::Problem;
use runtime::auth::{Principal, hash_key, new_key};
use runtime::http::RequestNames;
use schemas::events::{ApiKeyCreated, ApiKeyRevoked};
use schemas::{Event, ids, topics};
use serde::Serialize;
use serde_bytes::ByteArray;
use utoipa::ToSchema;

use crate::append::Caller;
use crate::idempotency::{Answer, Claimed};
use crate::state::AppState;

/// The shown part of a key: enough to tell two apart, far from enough to guess.
const SHOWN: usize = 8;

#[derive(Serialize, ToSchema)]
pub struct ApiKeyCreatedOut {
    /// The only time the key is shown.
    pub key: String,
    pub prefix: String,
    pub created_at: String,
}

pub fn prefix_of(key: &str, configured: &str) -> String {
    let configured = if key.starts_with(configured) { configured.len() } else { 3 };
    key.chars().take(configured + SHOWN).collect()
}

/// The event that makes `key` the current key of a user.
pub fn created_event(principal: &Principal, key: &str, configured: &str) -> Event {
    Event::ApiKeyCreated(ApiKeyCreated {
        user: principal.user.clone(),
        org: principal.org.clone(),
        role: principal.role.clone(),
        prefix: prefix_of(key, configured),
        sha256: ByteArray::new(hash_key(key)),
    })
}

pub async fn post(
    State(state): State<AppState>,
    principal: Principal,
    names: RequestNames,
    headers: HeaderMap,
) -> Result<Response, Problem> {
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

/// A retry cannot be given the key again: it is told which one it has.
fn already_created(answer: &Answer) -> Problem {
    let prefix = answer.body.get("prefix").and_then(serde_json::Value::as_str).unwrap_or_default();
    let message = format!("The key {prefix}… was created under this Idempotency-Key; it cannot be shown again");
    Problem::new(StatusCode::CONFLICT, message)
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
