//! The handlers: check, build the command, append, answer what came of it.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::{RequestBody, RequestNames};
use schemas::events::{SkillChanged, SkillContent, SkillCreated, SkillDeleted};
use schemas::sealing::Sealed;
use schemas::{Event, ids};
use uuid::Uuid;

use super::parse;
use crate::append::Caller;
use crate::decide::{Answer, Decided, if_match, once};
use crate::state::AppState;

pub async fn post(
    State(state): State<AppState>,
    principal: Principal,
    names: RequestNames,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<Response, Problem> {
    let content = parse::created(&body.bytes, &principal.user)?;
    let caller = Caller { principal: &principal, names: &names };
    once(&state, &caller, ("POST /skills", &headers, &body.bytes), async |made| {
        let content = seal(&state, &caller, &made.resource, made.event, &content).await?;
        let event = Event::SkillCreated(SkillCreated { skill_id: made.resource.clone(), content });
        let decided = state.decide(&caller, &subject(&made.resource), made.event, event).await?;
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
    change(&state, (&principal, &names, &headers), "PATCH /skills/{id}", &id, &body.bytes, None, content).await
}

pub async fn restore(
    State(state): State<AppState>,
    principal: Principal,
    names: RequestNames,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<Response, Problem> {
    let version = parse::restored(&body.bytes)?;
    let content = SkillContent { user_id: principal.user.clone(), ..SkillContent::default() };
    let asked = (&principal, &names, &headers);
    change(&state, asked, "POST /skills/{id}/restore", &id, &body.bytes, Some(version), content).await
}

async fn change(
    state: &AppState,
    (principal, names, headers): (&Principal, &RequestNames, &HeaderMap),
    route: &'static str,
    id: &str,
    body: &[u8],
    restores: Option<i64>,
    content: SkillContent,
) -> Result<Response, Problem> {
    let id = path_id(id)?;
    let if_match = if_match(headers)?;
    let caller = Caller { principal, names };
    let asked = [id.as_bytes(), body].concat();
    once(state, &caller, (route, headers, &asked), async |made| {
        let content = seal(state, &caller, &id, made.event, &content).await?;
        let event = Event::SkillChanged(SkillChanged { skill_id: id.clone(), if_match, restores, content });
        let decided = state.decide(&caller, &subject(&id), made.event, event).await?;
        answer(state, names, headers, &id, decided).await
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
    let id = path_id(&id)?;
    let if_match = if_match(&headers)?;
    let caller = Caller { principal: &principal, names: &names };
    once(&state, &caller, ("DELETE /skills/{id}", &headers, id.as_bytes()), async |made| {
        let event = Event::SkillDeleted(SkillDeleted { skill_id: id.clone(), if_match });
        let decided = state.decide(&caller, &subject(&id), made.event, event).await?;
        Ok(Answer { decided, body: None })
    })
    .await
}

/// The version that the command made, as it is read.
async fn answer(
    state: &AppState,
    names: &RequestNames,
    headers: &HeaderMap,
    id: &str,
    decided: Decided,
) -> Result<Answer, Problem> {
    let version = decided.version.unwrap_or_default();
    let path = format!("/api/v1/skills/{id}?version={version}");
    let body = state.ask.resource(headers, &names.id, &path, &decided.position, "Skill").await?;
    Ok(Answer { decided, body: Some(body) })
}

async fn seal(
    state: &AppState,
    caller: &Caller<'_>,
    id: &str,
    event: Uuid,
    content: &SkillContent,
) -> Result<Sealed, Problem> {
    state.seal_resource(caller, &subject(id), event, "skill_content", content).await
}

/// What the log calls a skill.
fn subject(id: &str) -> String {
    format!("skills/{id}")
}

/// No other text can name a skill.
fn path_id(id: &str) -> Result<String, Problem> {
    ids::resource_id(id).ok_or_else(|| Problem::not_found("Skill"))
}
