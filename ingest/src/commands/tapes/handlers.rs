//! The handlers: check, read the trace, append, answer what came of it.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::{RequestBody, RequestNames};
use schemas::events::tapes::owner;
use schemas::events::{TapeChanged, TapeContent, TapeDeleted};
use schemas::{Event, tapes};

use super::parse;
use super::parts::Publication;
use super::snapshot;
use crate::append::Caller;
use crate::decide::{Answer, Decided, Ids, if_match, once};
use crate::state::AppState;

pub const WHAT: &str = "Tape";
/// Of a trace without a name.
const UNTITLED: &str = "Untitled";

pub async fn post(
    State(state): State<AppState>,
    principal: Principal,
    names: RequestNames,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<Response, Problem> {
    let new = parse::new(&body.bytes, &principal.user)?;
    let caller = Caller { principal: &principal, names: &names };
    once(&state, &caller, ("POST /tapes", &headers, &body.bytes), async |made| {
        let snapshot = snapshot::of(&state, &headers, &names, &new).await?;
        if new.sha256.as_ref().is_some_and(|sha256| *sha256 != snapshot.figures.sha256) {
            return Err(Problem::new(StatusCode::CONFLICT, "The trace is not as it was previewed"));
        }
        let publication = Publication {
            trace_id: Some(new.trace_id.clone()),
            is_public: new.is_public,
            content: titled(new.about.clone(), &snapshot.trace.name),
            figures: snapshot.figures,
            lines: snapshot.lines.iter().map(String::as_str).collect(),
            steps: snapshot.steps,
        };
        publish(&state, &caller, &headers, &made, publication).await
    })
    .await
}

/// What a new tape says of itself: that of the trace, where nothing else is said.
pub fn titled(content: TapeContent, name: &str) -> TapeContent {
    let name: String = name.trim().chars().take(tapes::LONGEST_TITLE).collect();
    let named = || if name.is_empty() { UNTITLED.to_owned() } else { name };
    TapeContent {
        title: Some(content.title.unwrap_or_else(named)),
        description: Some(content.description.unwrap_or_default()),
        tags: Some(content.tags.unwrap_or_default()),
        ..content
    }
}

pub async fn publish(
    state: &AppState,
    caller: &Caller<'_>,
    headers: &HeaderMap,
    made: &Ids,
    publication: Publication<'_>,
) -> Result<Answer, Problem> {
    let made = publication.events(state, caller.principal, made).await?;
    let decided = state.decide_all(caller, &made.subject, made.events).await?;
    answer(state, caller, headers, &made.slug, decided).await
}

pub async fn patch(
    State(state): State<AppState>,
    principal: Principal,
    names: RequestNames,
    Path(slug): Path<String>,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<Response, Problem> {
    let (content, is_public) = parse::changed(&body.bytes, &principal.user)?;
    let id = path_id(&slug)?;
    let if_match = if_match(&headers)?;
    let caller = Caller { principal: &principal, names: &names };
    let asked = [id.as_bytes(), &body.bytes[..]].concat();
    once(&state, &caller, ("PATCH /tapes/{slug}", &headers, &asked), async |made| {
        let subject = owner(&id);
        let content = state.seal_resource(&caller, &subject, made.event, "tape_content", &content).await?;
        let event = Event::TapeChanged(TapeChanged { tape_id: id.clone(), if_match, is_public, content });
        let decided = state.decide(&caller, &subject, made.event, event).await?;
        answer(&state, &caller, &headers, &slug, decided).await
    })
    .await
}

pub async fn delete(
    State(state): State<AppState>,
    principal: Principal,
    names: RequestNames,
    Path(slug): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let id = path_id(&slug)?;
    let if_match = if_match(&headers)?;
    let caller = Caller { principal: &principal, names: &names };
    once(&state, &caller, ("DELETE /tapes/{slug}", &headers, id.as_bytes()), async |made| {
        let event = Event::TapeDeleted(TapeDeleted { tape_id: id.clone(), if_match });
        let decided = state.decide(&caller, &owner(&id), made.event, event).await?;
        Ok(Answer { decided, body: None })
    })
    .await
}

/// The tape as everybody reads it.
async fn answer(
    state: &AppState,
    caller: &Caller<'_>,
    headers: &HeaderMap,
    slug: &str,
    decided: Decided,
) -> Result<Answer, Problem> {
    let path = format!("/api/v1/tapes/{slug}");
    let body = state.ask.resource(headers, &caller.names.id, &path, &decided.position, WHAT).await?;
    Ok(Answer { decided, body: Some(body) })
}

/// No other text can name a tape.
fn path_id(slug: &str) -> Result<String, Problem> {
    tapes::id(slug).ok_or_else(|| Problem::not_found(WHAT))
}
