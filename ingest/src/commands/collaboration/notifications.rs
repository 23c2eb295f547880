//! Reading notifications: what is read is decided in the fold, so that one that comes at the same time is not lost.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::{RequestBody, RequestNames};
use schemas::Event;
use schemas::events::NotificationsRead;

use super::{parse, path_id};
use crate::append::Caller;
use crate::decide::{Answer, once};
use crate::state::AppState;

const WHAT: &str = "Notification";
/// What the log calls those of a user: nothing of them is sealed.
const SUBJECT: &str = "notifications";

pub async fn read(
    State(state): State<AppState>,
    principal: Principal,
    names: RequestNames,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<Response, Problem> {
    let ids = parse::read(&body.bytes)?;
    let caller = Caller { principal: &principal, names: &names };
    let asked = [principal.user.as_bytes(), &body.bytes[..]].join(&0);
    once(&state, &caller, ("PATCH /notifications/read", &headers, &asked), async |made| {
        let event = NotificationsRead { user_id: principal.user.clone(), ids: ids.clone() };
        let decided = state.decide(&caller, SUBJECT, made.event, Event::NotificationsRead(event)).await?;
        let path = "/api/v1/notifications";
        let body = state.ask.resource(&headers, &names.id, path, &decided.position, WHAT).await?;
        Ok(Answer { decided, body: Some(body) })
    })
    .await
}

pub async fn read_one(
    State(state): State<AppState>,
    principal: Principal,
    names: RequestNames,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let id = path_id(&id, WHAT)?;
    let caller = Caller { principal: &principal, names: &names };
    let asked = [principal.user.as_bytes(), id.as_bytes()].join(&0);
    once(&state, &caller, ("PATCH /notifications/{id}/read", &headers, &asked), async |made| {
        let event = NotificationsRead { user_id: principal.user.clone(), ids: Some(vec![id.clone()]) };
        let decided = state.decide(&caller, SUBJECT, made.event, Event::NotificationsRead(event)).await?;
        let path = format!("/api/v1/notifications/{id}");
        let body = state.ask.resource(&headers, &names.id, &path, &decided.position, WHAT).await?;
        Ok(Answer { decided, body: Some(body) })
    })
    .await
}
