//! The handlers: check, build the command, append, answer what came of it.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::{RequestBody, RequestNames, micros_rfc3339, rfc3339};
use schemas::events::{MemoryContent, MemoryDeleted, MemoryStored};
use schemas::{Event, ids};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteArray;
use serde_json::value::{RawValue, to_raw_value};

use super::parse;
use crate::append::{Caller, now};
use crate::decide::{Answer, Decided, once};
use crate::state::AppState;

const WHAT: &str = "Memory entry";

pub async fn post(
    State(state): State<AppState>,
    principal: Principal,
    names: RequestNames,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<Response, Problem> {
    let content = parse::stored(&body.bytes, &principal.user, now())?;
    let caller = Caller { principal: &principal, names: &names };
    once(&state, &caller, ("POST /memory", &headers, &body.bytes), async |made| {
        let subject = subject(&made.resource);
        let (project_id, session_id) = (content.project_id.as_deref(), content.session_id.as_deref());
        let hash = ids::memory_key_hash(&principal.tenant, &content.scope, project_id, session_id, &content.key);
        let sealed = state.seal_resource(&caller, &subject, made.event, "memory_content", &content).await?;
        let event = MemoryStored { memory_id: made.resource, key_hash: ByteArray::new(hash), content: sealed };
        let decided = state.decide(&caller, &subject, made.event, Event::MemoryStored(event)).await?;
        answer(&state, &names, &headers, &content, decided).await
    })
    .await
}

pub async fn delete(
    State(state): State<AppState>,
    principal: Principal,
    names: RequestNames,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    // No other text can name an entry.
    let id = ids::resource_id(&id).ok_or_else(|| Problem::not_found(WHAT))?;
    let caller = Caller { principal: &principal, names: &names };
    once(&state, &caller, ("DELETE /memory/{id}", &headers, id.as_bytes()), async |made| {
        let event = Event::MemoryDeleted(MemoryDeleted { memory_id: id.clone() });
        let decided = state.decide(&caller, &subject(&id), made.event, event).await?;
        Ok(Answer { decided, body: None })
    })
    .await
}

/// An entry as query-api shows it.
#[derive(Deserialize, Serialize)]
struct Entry {
    id: String,
    key: String,
    value: Box<RawValue>,
    scope: String,
    category: String,
    confidence: f64,
    project_id: Option<String>,
    session_id: Option<String>,
    expires_at: Option<String>,
    version: i64,
    created_by: String,
    created_at: String,
    updated_by: String,
    updated_at: String,
}

/// The version that the command made: what is read is replaced by what another writer stores right after it.
async fn answer(
    state: &AppState,
    names: &RequestNames,
    headers: &HeaderMap,
    content: &MemoryContent,
    decided: Decided,
) -> Result<Answer, Problem> {
    let id = decided.resource.ok_or_else(|| Problem::internal("an entry without its id"))?;
    let path = format!("/api/v1/memory/{id}");
    let read = state.ask.resource(headers, &names.id, &path, &decided.position, WHAT).await?;
    let entry: Entry = serde_json::from_str(read.get()).map_err(Problem::internal)?;
    let version = decided.version.unwrap_or_default();
    let body = if entry.version == version {
        read
    } else {
        let made = Entry {
            value: RawValue::from_string(content.value.clone()).map_err(Problem::internal)?,
            category: content.category.clone(),
            confidence: content.confidence,
            expires_at: content.expires_at.map(micros_rfc3339),
            version,
            updated_by: content.user_id.clone(),
            updated_at: rfc3339(decided.time),
            ..entry
        };
        to_raw_value(&made).map_err(Problem::internal)?
    };
    Ok(Answer { decided, body: Some(body) })
}

/// What the log calls an entry, and whose keys seal what is stored under its id.
fn subject(id: &str) -> String {
    format!("memory/{id}")
}
