//! Comments: check, build the command, append, answer what came of it.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::{RequestBody, RequestNames, rfc3339};
use schemas::Event;
use schemas::events::{CommentChanged, CommentCreated, CommentDeleted};
use schemas::sealing::Sealed;
use serde::{Deserialize, Serialize};
use serde_json::value::to_raw_value;
use uuid::Uuid;

use super::parse::{self, Said};
use super::{moderates, must_exist, path_id};
use crate::append::Caller;
use crate::decide::{Answer, Decided, if_match, once};
use crate::state::AppState;

const WHAT: &str = "Comment";

pub async fn post(
    State(state): State<AppState>,
    principal: Principal,
    names: RequestNames,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<Response, Problem> {
    let new = parse::comment(&body.bytes)?;
    let caller = Caller { principal: &principal, names: &names };
    once(&state, &caller, ("POST /comments", &headers, &body.bytes), async |made| {
        must_exist(&state, &headers, &names, (&new.trace_id, new.span_id.as_deref())).await?;
        let (id, said) = (made.resource, &new.said);
        let event = Event::CommentCreated(CommentCreated {
            comment_id: id.clone(),
            trace_id: new.trace_id.clone(),
            span_id: new.span_id.clone(),
            reply_to_id: new.parent_id.clone(),
            by: principal.user.clone(),
            mentions: said.mentions.clone(),
            content: seal(&state, &caller, &id, made.event, said).await?,
        });
        let decided = state.decide(&caller, &subject(&id), made.event, event).await?;
        answer(&state, &names, &headers, (&id, said), decided).await
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
    let said = parse::changed_comment(&body.bytes)?;
    let id = path_id(&id, WHAT)?;
    let if_match = if_match(&headers)?;
    let caller = Caller { principal: &principal, names: &names };
    let asked = [id.as_bytes(), &body.bytes[..]].concat();
    once(&state, &caller, ("PATCH /comments/{id}", &headers, &asked), async |made| {
        let event = Event::CommentChanged(CommentChanged {
            comment_id: id.clone(),
            if_match,
            by: principal.user.clone(),
            mentions: said.mentions.clone(),
            content: seal(&state, &caller, &id, made.event, &said).await?,
        });
        let decided = state.decide(&caller, &subject(&id), made.event, event).await?;
        answer(&state, &names, &headers, (&id, &said), decided).await
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
    once(&state, &caller, ("DELETE /comments/{id}", &headers, id.as_bytes()), async |made| {
        let (by, moderates) = (principal.user.clone(), moderates(&principal));
        let event = Event::CommentDeleted(CommentDeleted { comment_id: id.clone(), if_match, by, moderates });
        let decided = state.decide(&caller, &subject(&id), made.event, event).await?;
        Ok(Answer { decided, body: None })
    })
    .await
}

/// A comment as query-api shows it.
#[derive(Deserialize, Serialize)]
struct Comment {
    id: String,
    trace_id: String,
    span_id: Option<String>,
    parent_id: Option<String>,
    reply_to_id: Option<String>,
    body: Option<String>,
    mentions: Vec<String>,
    reply_count: i64,
    is_deleted: bool,
    version: i64,
    created_by: String,
    created_at: String,
    edited_at: Option<String>,
}

/// The version that the command made: what is read is replaced by what its author makes of it right after.
async fn answer(
    state: &AppState,
    names: &RequestNames,
    headers: &HeaderMap,
    (id, said): (&str, &Said),
    decided: Decided,
) -> Result<Answer, Problem> {
    let path = format!("/api/v1/comments/{id}");
    let read = state.ask.resource(headers, &names.id, &path, &decided.position, WHAT).await?;
    let comment: Comment = serde_json::from_str(read.get()).map_err(Problem::internal)?;
    let version = decided.version.unwrap_or_default();
    let body = if comment.version == version {
        read
    } else {
        let made = Comment {
            body: Some(said.content.body.clone()),
            mentions: said.mentions.clone(),
            is_deleted: false,
            version,
            edited_at: (version > 1).then(|| rfc3339(decided.time)),
            ..comment
        };
        to_raw_value(&made).map_err(Problem::internal)?
    };
    Ok(Answer { decided, body: Some(body) })
}

async fn seal(state: &AppState, caller: &Caller<'_>, id: &str, event: Uuid, said: &Said) -> Result<Sealed, Problem> {
    state.seal_resource(caller, &subject(id), event, "comment_content", &said.content).await
}

/// What the log calls a comment.
fn subject(id: &str) -> String {
    format!("comments/{id}")
}
