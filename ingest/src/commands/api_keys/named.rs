//! Keys beside a user's current one: they have names, scopes and, where they are given one, an end.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use runtime::Problem;
use runtime::auth::keyring::Whose;
use runtime::auth::{Principal, Role, Scopes, hash_key, new_key, prefix_of};
use runtime::http::routes::Needs;
use runtime::http::{RequestBody, RequestNames, rfc3339};
use schemas::events::{ApiKeyChanged, ApiKeyContent, ApiKeyIssued, ApiKeyWithdrawn};
use schemas::{Event, ids, topics};
use serde::Deserialize;
use serde_bytes::ByteArray;
use serde_json::json;
use serde_json::value::to_raw_value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use super::documents::NamedApiKeyCreatedOut;
use super::{already_created, created_before, parse, rights};
use crate::append::{Caller, now};
use crate::decide::{Answer, Decided, Ids, if_match, once, settle};
use crate::idempotency::Claimed;
use crate::state::AppState;

/// So that a read that follows a revocation has it, where the projection keeps up.
const SHOWN_WITHIN: Duration = Duration::from_secs(1);

/// A key as query-api shows it.
#[derive(Deserialize)]
struct Shown {
    user_id: String,
    is_current: bool,
    prefix: String,
    scopes: Vec<String>,
    role: String,
    version: i64,
    expires_at: Option<String>,
}

pub async fn post(
    State(state): State<AppState>,
    principal: Principal,
    names: RequestNames,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<Response, Problem> {
    let asked = parse::issued(&body.bytes, OffsetDateTime::now_utc())?;
    let role = rights::role(&principal, asked.role)?;
    rights::lives_no_longer(&principal, asked.expires_at)?;
    let claim = match Claimed::of(&state, &principal, "POST /api-keys/all", &headers, &body.bytes).await? {
        Claimed::Answered(answer) if answer.status == StatusCode::CREATED => return Err(already_created(&answer)),
        Claimed::Answered(answer) => return Ok(answer.into_response()),
        Claimed::Fresh(claim) => Some(claim),
        Claimed::Unasked => None,
    };
    let caller = Caller { principal: &principal, names: &names };
    let issued = issue(&state, &caller, &headers, Ids::of(claim.as_ref()), claim.is_some(), asked, role).await;
    // The key itself is kept nowhere.
    let (answer, created) = match issued {
        Ok((answer, created)) => (Ok(answer), Some(created)),
        Err(problem) => (Err(problem), None),
    };
    settle(claim, &answer).await;
    let Decided { status, position, .. } = answer?.decided;
    Ok((status, [("x-retrace-position", position.as_str()), ("etag", "\"1\"")], Json(created)).into_response())
}

/// `may_repeat`: under this Idempotency-Key it may have been asked before, and the answer been lost.
async fn issue(
    state: &AppState,
    caller: &Caller<'_>,
    headers: &HeaderMap,
    made: Ids,
    may_repeat: bool,
    asked: parse::Issue,
    role: Role,
) -> Result<(Answer, NamedApiKeyCreatedOut), Problem> {
    let configured = &state.settings.api_key_prefix;
    let key = new_key(configured).map_err(Problem::internal)?;
    let prefix = prefix_of(&key, configured);
    let content = ApiKeyContent { name: asked.name.clone() };
    let subject = subject(&made.resource);
    let event = Event::ApiKeyIssued(ApiKeyIssued {
        key_id: made.resource.clone(),
        user: caller.principal.user.clone(),
        org: caller.principal.org.clone(),
        role: role.as_str().to_owned(),
        prefix: prefix.clone(),
        sha256: ByteArray::new(hash_key(&key)),
        scopes: asked.scopes.names(),
        expires_at: asked.expires_at.map(micros),
        at_most: i64::from(state.settings.api_keys_per_user),
        content: state.seal_resource(caller, &subject, made.event, "api_key_content", &content).await?,
    });
    let decided = state.decide(caller, &subject, made.event, event).await?;
    state.in_force.followed(decided.record).await;
    if may_repeat {
        let path = path(&made.resource);
        let text = state.ask.resource(headers, &caller.names.id, &path, &decided.position, "API key").await?;
        let first: Shown = serde_json::from_str(text.get()).map_err(Problem::internal)?;
        if first.prefix != prefix {
            return Err(created_before(&first.prefix));
        }
    }
    let created = NamedApiKeyCreatedOut {
        id: made.resource,
        key,
        prefix: prefix.clone(),
        name: asked.name,
        scopes: asked.scopes.names(),
        role: role.as_str().to_owned(),
        created_at: rfc3339(decided.time),
        expires_at: asked.expires_at.map(rfc3339),
    };
    let kept = to_raw_value(&json!({ "prefix": prefix })).map_err(Problem::internal)?;
    Ok((Answer { decided, body: Some(kept) }, created))
}

pub async fn patch(
    State(state): State<AppState>,
    principal: Principal,
    names: RequestNames,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<Response, Problem> {
    let asked = parse::changed(&body.bytes, OffsetDateTime::now_utc())?;
    let id = path_id(&id)?.to_string();
    let if_match = if_match(&headers)?;
    let caller = Caller { principal: &principal, names: &names };
    let (path, subject) = (path(&id), subject(&id));
    let sent = [id.as_bytes(), &body.bytes[..]].concat();
    once(&state, &caller, ("PATCH /api-keys/all/{id}", &headers, &sent), async |made| {
        let key: Shown = state.ask.read(&headers, &names.id, &path, "API key").await?;
        let (scopes, expires_at) = change(&principal, &asked, &key, if_match)?;
        // Each version that it is a change of makes another event, so that the first of two is the only one everywhere.
        let event = ids::derived(made.event, &format!("of version {}", key.version));
        let content = match &asked.name {
            None => None,
            Some(name) => {
                let content = ApiKeyContent { name: name.clone() };
                Some(state.seal_resource(&caller, &subject, event, "api_key_content", &content).await?)
            }
        };
        let changed = ApiKeyChanged {
            key_id: id.clone(),
            user: key.user_id,
            version: key.version,
            scopes: scopes.names(),
            expires_at: expires_at.map(micros),
            content,
        };
        let decided = state.decide(&caller, &subject, event, Event::ApiKeyChanged(changed)).await?;
        state.in_force.followed(decided.record).await;
        let body = state.ask.resource(&headers, &names.id, &path, &decided.position, "API key").await?;
        Ok(Answer { decided, body: Some(body) })
    })
    .await
}

/// What the key has afterwards, if the caller may give it that.
fn change(
    principal: &Principal,
    asked: &parse::Change,
    key: &Shown,
    if_match: Option<i64>,
) -> Result<(Scopes, Option<OffsetDateTime>), Problem> {
    if key.is_current {
        let message = "This is a user's current API key: it may all that its user may, and is replaced, not changed";
        return Err(Problem::new(StatusCode::CONFLICT, message));
    }
    if let Some(asked) = if_match.filter(|asked| *asked != key.version) {
        let message = format!("The API key is at version {}, not at {asked} as If-Match says", key.version);
        return Err(Problem::new(StatusCode::PRECONDITION_FAILED, message));
    }
    let held = Scopes::of(&key.scopes);
    let scopes = asked.scopes.unwrap_or(held);
    rights::scopes(principal, scopes, held, Role::of(&key.role))?;
    let end = key.expires_at.as_deref().and_then(|text| OffsetDateTime::parse(text, &Rfc3339).ok());
    if let Some(asked) = asked.expires_at {
        rights::lives_no_longer(principal, asked)?;
    }
    Ok((scopes, asked.expires_at.unwrap_or(end)))
}

/// Needs no projection: a key that has leaked is refused whatever else is down.
pub async fn withdraw(
    State(state): State<AppState>,
    principal: Principal,
    names: RequestNames,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let id = path_id(&id)?;
    let caller = Caller { principal: &principal, names: &names };
    let named = id.to_string();
    once(&state, &caller, ("DELETE /api-keys/all/{id}", &headers, named.as_bytes()), async |made| {
        let user = user_of(&state, &principal, &names, &headers, id).await?;
        let event = Event::ApiKeyWithdrawn(ApiKeyWithdrawn { key_id: named.clone(), user });
        let partition = topics::tenant_partition(&principal.tenant, topics::PARTITIONS);
        let (time, events) = (now(), vec![(made.event, event)]);
        let (position, record) = state.append_when(time, &caller, partition, &subject(&named), events).await?;
        state.in_force.followed(record).await;
        let _ = tokio::time::timeout(SHOWN_WITHIN, state.progress.reaches(record)).await;
        let status = StatusCode::NO_CONTENT;
        let decided = Decided { status, version: None, resource: None, time, position, record };
        Ok(Answer { decided, body: None })
    })
    .await
}

/// Whose key it is, if the caller may see it.
async fn user_of(
    state: &AppState,
    principal: &Principal,
    names: &RequestNames,
    headers: &HeaderMap,
    id: Uuid,
) -> Result<String, Problem> {
    let user = match state.in_force.keys.whose(&principal.tenant, id) {
        Whose::Of(user) => user,
        Whose::Ended => return Err(Problem::not_found("API key")),
        Whose::Unknown => {
            let key: Shown = state.ask.read(headers, &names.id, &path(&id.to_string()), "API key").await?;
            key.user_id
        }
    };
    if user == principal.user || principal.may(Needs::Administering) {
        return Ok(user);
    }
    Err(Problem::not_found("API key"))
}

/// What the log calls a named key.
fn subject(id: &str) -> String {
    format!("api_keys/{id}")
}

fn path(id: &str) -> String {
    format!("/api/v1/api-keys/all/{id}")
}

/// No other text can name a key.
fn path_id(id: &str) -> Result<Uuid, Problem> {
    let id = ids::resource_id(id).and_then(|id| Uuid::try_parse(&id).ok());
    id.ok_or_else(|| Problem::not_found("API key"))
}

fn micros(time: OffsetDateTime) -> i64 {
    (time.unix_timestamp_nanos() / 1000) as i64
}
