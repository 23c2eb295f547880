//! Assignments: check, build the command, append, answer what came of it.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::{RequestBody, RequestNames};
use schemas::Event;
use schemas::events::{AssignmentChanged, AssignmentContent, AssignmentCreated, AssignmentDeleted};
use schemas::sealing::Sealed;
use serde::Deserialize;
use uuid::Uuid;

use super::{moderates, must_exist, parse, path_id};
use crate::append::Caller;
use crate::decide::{Answer, Decided, if_match, once};
use crate::state::AppState;

const WHAT: &str = "Assignment";

pub async fn post(
    State(state): State<AppState>,
    principal: Principal,
    names: RequestNames,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<Response, Problem> {
    let new = parse::assignment(&body.bytes)?;
    let caller = Caller { principal: &principal, names: &names };
    once(&state, &caller, ("POST /assignments", &headers, &body.bytes), async |made| {
        must_exist(&state, &headers, &names, (&new.trace_id, None)).await?;
        let id = made.resource;
        let event = Event::AssignmentCreated(AssignmentCreated {
            assignment_id: id.clone(),
            trace_id: new.trace_id.clone(),
            assignee_id: new.assignee_id.clone(),
            by: principal.user.clone(),
            content: seal(&state, &caller, &id, made.event, &new.content).await?,
        });
        let decided = state.decide(&caller, &subject(&id), made.event, event).await?;
        answer(&state, &names, &headers, &id, decided).await
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
    let changed = parse::changed_assignment(&body.bytes)?;
    let id = path_id(&id, WHAT)?;
    let if_match = if_match(&headers)?;
    let caller = Caller { principal: &principal, names: &names };
    let asked = [id.as_bytes(), &body.bytes[..]].concat();
    once(&state, &caller, ("PATCH /assignments/{id}", &headers, &asked), async |made| {
        let content = match &changed.content {
            Some(content) => Some(seal(&state, &caller, &id, made.event, content).await?),
            None => None,
        };
        let event = Event::AssignmentChanged(AssignmentChanged {
            assignment_id: id.clone(),
            if_match,
            by: principal.user.clone(),
            status: changed.status.map(str::to_owned),
            assignee_id: changed.assignee_id.clone(),
            content,
        });
        let decided = state.decide(&caller, &subject(&id), made.event, event).await?;
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
    once(&state, &caller, ("DELETE /assignments/{id}", &headers, id.as_bytes()), async |made| {
        let (by, moderates) = (principal.user.clone(), moderates(&principal));
        let event = AssignmentDeleted { assignment_id: id.clone(), if_match, by, moderates };
        let decided = state.decide(&caller, &subject(&id), made.event, Event::AssignmentDeleted(event)).await?;
        Ok(Answer { decided, body: None })
    })
    .await
}

/// The assignment as it is read now. Where another writer has changed it right after, that is a later version, and its
/// ETag.
async fn answer(
    state: &AppState,
    names: &RequestNames,
    headers: &HeaderMap,
    id: &str,
    decided: Decided,
) -> Result<Answer, Problem> {
    #[derive(Deserialize)]
    struct Shown {
        version: i64,
    }
    let path = format!("/api/v1/assignments/{id}");
    let body = state.ask.resource(headers, &names.id, &path, &decided.position, WHAT).await?;
    let Shown { version } = serde_json::from_str(body.get()).map_err(Problem::internal)?;
    Ok(Answer { decided: Decided { version: Some(version), ..decided }, body: Some(body) })
}

async fn seal(
    state: &AppState,
    caller: &Caller<'_>,
    id: &str,
    event: Uuid,
    content: &AssignmentContent,
) -> Result<Sealed, Problem> {
    state.seal_resource(caller, &subject(id), event, "assignment_content", content).await
}

/// What the log calls an assignment.
fn subject(id: &str) -> String {
    format!("assignments/{id}")
}
