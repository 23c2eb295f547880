//! Datasets themselves: check, build the command, append, answer what came of it.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::{RequestBody, RequestNames};
use schemas::events::datasets::owner;
use schemas::events::{DatasetChanged, DatasetCreated, DatasetDeleted};
use schemas::{Event, ids};
use serde_bytes::ByteArray;

use super::parse;
use crate::append::Caller;
use crate::decide::{Answer, Decided, if_match, once};
use crate::state::AppState;

pub const WHAT: &str = "Dataset";

pub async fn post(
    State(state): State<AppState>,
    principal: Principal,
    names: RequestNames,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<Response, Problem> {
    let content = parse::created(&body.bytes, &principal.user)?;
    let caller = Caller { principal: &principal, names: &names };
    once(&state, &caller, ("POST /datasets", &headers, &body.bytes), async |made| {
        let subject = owner(&made.resource);
        let name = content.name.as_deref().unwrap_or_default();
        let event = Event::DatasetCreated(DatasetCreated {
            dataset_id: made.resource.clone(),
            name_hash: ByteArray::new(ids::name_hash("dataset", &principal.tenant, name)),
            content: state.seal_resource(&caller, &subject, made.event, "dataset_content", &content).await?,
        });
        let decided = state.decide(&caller, &subject, made.event, event).await?;
        answer(&state, &names, &headers, &made.resource, decided).await
    })
    .await
}

pub async fn patch(
    State(state): State<AppState>,
    principal: Principal,
    names: RequestNames,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<Response, Problem> {
    let content = parse::changed(&body.bytes, &principal.user)?;
    let id = path_id(&id, WHAT)?;
    let if_match = if_match(&headers)?;
    let caller = Caller { principal: &principal, names: &names };
    let asked = [id.as_bytes(), &body.bytes[..]].concat();
    once(&state, &caller, ("PATCH /datasets/{id}", &headers, &asked), async |made| {
        let subject = owner(&id);
        let hash = |name: &String| ByteArray::new(ids::name_hash("dataset", &principal.tenant, name));
        let event = Event::DatasetChanged(DatasetChanged {
            dataset_id: id.clone(),
            if_match,
            name_hash: content.name.as_ref().map(hash),
            content: state.seal_resource(&caller, &subject, made.event, "dataset_content", &content).await?,
        });
        let decided = state.decide(&caller, &subject, made.event, event).await?;
        answer(&state, &names, &headers, &id, decided).await
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
    let id = path_id(&id, WHAT)?;
    let if_match = if_match(&headers)?;
    let caller = Caller { principal: &principal, names: &names };
    once(&state, &caller, ("DELETE /datasets/{id}", &headers, id.as_bytes()), async |made| {
        let event = Event::DatasetDeleted(DatasetDeleted { dataset_id: id.clone(), if_match });
        let decided = state.decide(&caller, &owner(&id), made.event, event).await?;
        Ok(Answer { decided, body: None })
    })
    .await
}

/// The version that the command made, without its items.
pub async fn answer(
    state: &AppState,
    names: &RequestNames,
    headers: &HeaderMap,
    id: &str,
    decided: Decided,
) -> Result<Answer, Problem> {
    let version = decided.version.unwrap_or_default();
    let path = format!("/api/v1/datasets/{id}?version={version}&limit=0");
    let body = state.ask.resource(headers, &names.id, &path, &decided.position, WHAT).await?;
    Ok(Answer { decided, body: Some(body) })
}

/// No other text can name a dataset or an item.
pub fn path_id(id: &str, what: &str) -> Result<String, Problem> {
    ids::resource_id(id).ok_or_else(|| Problem::not_found(what))
}
