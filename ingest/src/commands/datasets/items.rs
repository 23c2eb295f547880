//! Items one by one. Each has sealing keys of its own, so that one can be erased without the others (ADR 0017).

use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::{RequestBody, RequestNames};
use schemas::Event;
use schemas::events::datasets::item_owner;
use schemas::events::{DatasetItemAdded, DatasetItemChanged, DatasetItemDeleted};

use super::handlers::{WHAT, path_id};
use super::{parse, snapshot};
use crate::append::Caller;
use crate::decide::{Answer, Decided, if_match, once};
use crate::query;
use crate::state::AppState;

const ITEM: &str = "Item";

pub async fn post(
    State(state): State<AppState>,
    principal: Principal,
    names: RequestNames,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<Response, Problem> {
    let new = parse::item(&body.bytes, &principal.user)?;
    let id = path_id(&id, WHAT)?;
    let caller = Caller { principal: &principal, names: &names };
    let asked = [id.as_bytes(), &body.bytes[..]].concat();
    once(&state, &caller, ("POST /datasets/{id}/items", &headers, &asked), async |made| {
        let content = snapshot::content(&state.ask, &headers, &names.id, &new).await?;
        let item = made.resource;
        let subject = item_owner(&id, &item);
        let event = Event::DatasetItemAdded(DatasetItemAdded {
            dataset_id: id.clone(),
            item_id: item.clone(),
            most_items: i64::try_from(state.settings.max_dataset_items).unwrap_or(i64::MAX),
            sizes: content.sizes(),
            content: state.seal_resource(&caller, &subject, made.event, "dataset_item_content", &content).await?,
        });
        let decided = state.decide(&caller, &subject, made.event, event).await?;
        answer(&state, &names, &headers, (&id, &item), decided).await
    })
    .await
}

pub async fn patch(
    State(state): State<AppState>,
    principal: Principal,
    names: RequestNames,
    Path((id, item)): Path<(String, String)>,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<Response, Problem> {
    let content = parse::item_changed(&body.bytes, &principal.user)?;
    let (id, item) = (path_id(&id, WHAT)?, path_id(&item, ITEM)?);
    let if_match = if_match(&headers)?;
    let caller = Caller { principal: &principal, names: &names };
    let asked = [id.as_bytes(), item.as_bytes(), &body.bytes[..]].concat();
    once(&state, &caller, ("PATCH /datasets/{id}/items/{item_id}", &headers, &asked), async |made| {
        let subject = item_owner(&id, &item);
        let event = Event::DatasetItemChanged(DatasetItemChanged {
            dataset_id: id.clone(),
            item_id: item.clone(),
            if_match,
            sizes: content.sizes(),
            content: state.seal_resource(&caller, &subject, made.event, "dataset_item_content", &content).await?,
        });
        let decided = state.decide(&caller, &subject, made.event, event).await?;
        answer(&state, &names, &headers, (&id, &item), decided).await
    })
    .await
}

pub async fn delete(
    State(state): State<AppState>,
    principal: Principal,
    names: RequestNames,
    Path((id, item)): Path<(String, String)>,
    Query(pairs): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let erases = query::choice(&pairs, "erase", &["true", "false"])? == Some("true");
    let (id, item) = (path_id(&id, WHAT)?, path_id(&item, ITEM)?);
    let if_match = if_match(&headers)?;
    let caller = Caller { principal: &principal, names: &names };
    let asked = format!("{id}{item}{erases}");
    once(&state, &caller, ("DELETE /datasets/{id}/items/{item_id}", &headers, asked.as_bytes()), async |made| {
        let (dataset_id, item_id) = (id.clone(), item.clone());
        let event = Event::DatasetItemDeleted(DatasetItemDeleted { dataset_id, item_id, if_match, erases });
        let decided = state.decide(&caller, &item_owner(&id, &item), made.event, event).await?;
        Ok(Answer { decided, body: None })
    })
    .await
}

/// The item as the command made it, whatever has come since.
async fn answer(
    state: &AppState,
    names: &RequestNames,
    headers: &HeaderMap,
    (id, item): (&str, &str),
    decided: Decided,
) -> Result<Answer, Problem> {
    let version = decided.version.unwrap_or_default();
    let path = format!("/api/v1/datasets/{id}/items/{item}?version={version}");
    let body = state.ask.resource(headers, &names.id, &path, &decided.position, ITEM).await?;
    Ok(Answer { decided, body: Some(body) })
}
