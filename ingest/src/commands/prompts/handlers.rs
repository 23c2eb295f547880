//! The handlers: check, build the command, append, answer what came of it.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::{RequestBody, RequestNames};
use schemas::events::{PromptCreated, PromptDeleted, PromptLabelled, PromptVersionAdded};
use schemas::{Event, ids};
use serde::Deserialize;
use serde_bytes::ByteArray;

use super::parse;
use crate::append::Caller;
use crate::ask;
use crate::decide::{Answer, Decided, if_match, once};
use crate::state::AppState;

pub async fn post(
    State(state): State<AppState>,
    principal: Principal,
    names: RequestNames,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<Response, Problem> {
    let new = parse::created(&body.bytes, &principal.user)?;
    let caller = Caller { principal: &principal, names: &names };
    once(&state, &caller, ("POST /prompts", &headers, &body.bytes), async |made| {
        let subject = subject(&made.resource);
        let event = Event::PromptCreated(PromptCreated {
            prompt_id: made.resource.clone(),
            name_hash: ByteArray::new(ids::name_hash("prompt", &principal.tenant, &new.content.name)),
            labels: new.version.labels.clone(),
            content: state.seal_resource(&caller, &subject, made.event, "prompt_content", &new.content).await?,
            version: state
                .seal_resource(&caller, &subject, made.event, "prompt_version_content", &new.version.content)
                .await?,
        });
        let decided = state.decide(&caller, &subject, made.event, event).await?;
        answer(&state, &names, &headers, (&made.resource, 1), decided).await
    })
    .await
}

pub async fn post_version(
    State(state): State<AppState>,
    principal: Principal,
    names: RequestNames,
    Path(addressed): Path<String>,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<Response, Problem> {
    let new = parse::added(&body.bytes, &principal.user)?;
    let if_match = if_match(&headers)?;
    let caller = Caller { principal: &principal, names: &names };
    let asked = [addressed.as_bytes(), &body.bytes[..]].join(&0);
    once(&state, &caller, ("POST /prompts/{id}/versions", &headers, &asked), async |made| {
        let id = id_of(&state, &names, &headers, &addressed).await?;
        let event = Event::PromptVersionAdded(PromptVersionAdded {
            prompt_id: id.clone(),
            if_match,
            labels: new.labels.clone(),
            version: state
                .seal_resource(&caller, &subject(&id), made.event, "prompt_version_content", &new.content)
                .await?,
        });
        let decided = state.decide(&caller, &subject(&id), made.event, event).await?;
        let version = decided.version.unwrap_or_default();
        answer(&state, &names, &headers, (&id, version), decided).await
    })
    .await
}

pub async fn label(
    State(state): State<AppState>,
    principal: Principal,
    names: RequestNames,
    Path((addressed, label)): Path<(String, String)>,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<Response, Problem> {
    parse::label(&label)?;
    let target = parse::target(&body.bytes)?;
    let caller = Caller { principal: &principal, names: &names };
    let asked = [addressed.as_bytes(), label.as_bytes(), &body.bytes[..]].join(&0);
    once(&state, &caller, ("PUT /prompts/{id}/labels/{label}", &headers, &asked), async |made| {
        let id = id_of(&state, &names, &headers, &addressed).await?;
        let event = Event::PromptLabelled(PromptLabelled {
            prompt_id: id.clone(),
            label: label.clone(),
            version: Some(target.version),
            from_version: target.from_version,
        });
        let decided = state.decide(&caller, &subject(&id), made.event, event).await?;
        answer(&state, &names, &headers, (&id, target.version), decided).await
    })
    .await
}

pub async fn unlabel(
    State(state): State<AppState>,
    principal: Principal,
    names: RequestNames,
    Path((addressed, label)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    parse::label(&label)?;
    let caller = Caller { principal: &principal, names: &names };
    let asked = [addressed.as_bytes(), label.as_bytes()].join(&0);
    once(&state, &caller, ("DELETE /prompts/{id}/labels/{label}", &headers, &asked), async |made| {
        let id = id_of(&state, &names, &headers, &addressed).await?;
        let label = label.clone();
        let taken = PromptLabelled { prompt_id: id.clone(), label, version: None, from_version: None };
        let decided = state.decide(&caller, &subject(&id), made.event, Event::PromptLabelled(taken)).await?;
        Ok(Answer { decided, body: None })
    })
    .await
}

pub async fn delete(
    State(state): State<AppState>,
    principal: Principal,
    names: RequestNames,
    Path(addressed): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let if_match = if_match(&headers)?;
    let caller = Caller { principal: &principal, names: &names };
    once(&state, &caller, ("DELETE /prompts/{id}", &headers, addressed.as_bytes()), async |made| {
        let id = id_of(&state, &names, &headers, &addressed).await?;
        let event = Event::PromptDeleted(PromptDeleted { prompt_id: id.clone(), if_match });
        let decided = state.decide(&caller, &subject(&id), made.event, event).await?;
        Ok(Answer { decided, body: None })
    })
    .await
}

/// The prompt with the version that the command is about, as it is read.
async fn answer(
    state: &AppState,
    names: &RequestNames,
    headers: &HeaderMap,
    (id, version): (&str, i64),
    decided: Decided,
) -> Result<Answer, Problem> {
    let path = format!("/api/v1/prompts/{id}?version={version}");
    let body = state.ask.resource(headers, &names.id, &path, &decided.position, "Prompt").await?;
    Ok(Answer { decided, body: Some(body) })
}

/// A prompt is addressed by its id, or by its name: query-api knows whose that is.
async fn id_of(
    state: &AppState,
    names: &RequestNames,
    headers: &HeaderMap,
    addressed: &str,
) -> Result<String, Problem> {
    #[derive(Deserialize)]
    struct Found {
        id: String,
    }
    if let Some(id) = ids::resource_id(addressed) {
        return Ok(id);
    }
    let path = format!("/api/v1/prompts/{}?label=latest", ask::segment(addressed));
    let found: Found = state.ask.read(headers, &names.id, &path, "Prompt").await?;
    Ok(found.id)
}

/// What the log calls a prompt.
fn subject(id: &str) -> String {
    format!("prompts/{id}")
}
