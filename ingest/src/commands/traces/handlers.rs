//! The handlers: check, build the event, append, answer.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::{ClientIp, RequestBody, RequestNames};
use runtime::position::Position;
use schemas::events::{DiscussionClosed, GoldenSet, Source, TapesErased, TraceDeleted, TraceStatus};
use schemas::{Event, ids, topics};

use super::documents::{GoldenOut, TraceAccepted};
use super::parse;
use crate::append::{Appended, Caller};
use crate::idempotency::{Claim, Claimed};
use crate::json::object;
use crate::query;
use crate::state::AppState;
use crate::usage::Adds;

pub async fn post(
    State(state): State<AppState>,
    principal: Principal,
    names: RequestNames,
    axum::Extension(ip): axum::Extension<ClientIp>,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<Response, Problem> {
    let claim = match Claimed::of(&state, &principal, "POST /traces", &headers, &body.bytes).await? {
        Claimed::Answered(answer) => return Ok(answer.into_response()),
        Claimed::Fresh(claim) => Some(claim),
        Claimed::Unasked => None,
    };
    let generated = claim.as_ref().map(Claim::derived_id);
    let caller = Caller { principal: &principal, names: &names };
    let appended = record(&state, &caller, ip, (Source::Post, None, generated), &headers, body).await;
    if let Some(claim) = claim {
        match &appended {
            Ok(done) => claim.keep(done.status, &done.body, &done.position).await,
            Err(_) => claim.release().await,
        }
    }
    Ok(appended?.into_response())
}

pub async fn patch(
    State(state): State<AppState>,
    principal: Principal,
    names: RequestNames,
    axum::Extension(ip): axum::Extension<ClientIp>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<Response, Problem> {
    let id = path_id(&id)?;
    let caller = Caller { principal: &principal, names: &names };
    Ok(record(&state, &caller, ip, (Source::Patch, Some(&id), None), &headers, body).await?.into_response())
}

async fn record(
    state: &AppState,
    caller: &Caller<'_>,
    ip: ClientIp,
    (source, path, generated): (Source, Option<&str>, Option<String>),
    headers: &HeaderMap,
    body: RequestBody,
) -> Result<Appended<TraceAccepted>, Problem> {
    let trace = parse::trace(&body.bytes, path, state.settings.max_spans).map_err(Problem::faults)?;
    // What ends a run that was begun is taken at any time.
    if source == Source::Post || !trace.spans.is_empty() {
        state.within_plan(caller, headers, Adds::TracesAndSpans).await?;
    }
    let id = trace.id.clone().or(generated).unwrap_or_else(|| ids::event_id().to_string());
    let answer = TraceAccepted {
        id: id.clone(),
        span_count: trace.spans.len(),
        status: trace.status.unwrap_or(TraceStatus::Running).as_str().to_owned(),
    };
    let position = state.record(caller, ip, source, &id, vec![trace]).await?;
    let status = if source == Source::Post { StatusCode::CREATED } else { StatusCode::OK };
    Ok(Appended { status, body: answer, position })
}

pub async fn delete(
    State(state): State<AppState>,
    principal: Principal,
    names: RequestNames,
    Path(id): Path<String>,
    Query(pairs): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let erases_tapes = query::choice(&pairs, "erase", &["tapes"])?.is_some();
    let id = path_id(&id)?;
    state.ask.trace_exists(&headers, &names.id, &id).await?;
    let caller = Caller { principal: &principal, names: &names };
    // Its tapes and its discussion first: whoever is told that this failed can ask for it again only while the trace is there.
    let partition = topics::tenant_partition(&principal.tenant, topics::PARTITIONS);
    let erased = erases_tapes.then(|| Event::TapesErased(TapesErased { trace_id: id.clone() }));
    let closed = Event::DiscussionClosed(DiscussionClosed { trace_id: id.clone() });
    let events = erased.into_iter().chain([closed]).map(|event| (ids::event_id(), event)).collect();
    let (_, closed) = state.append_at(&caller, partition, &id, events).await?;
    let partition = topics::trace_partition(&principal.tenant, &id, topics::PARTITIONS);
    let event = Event::TraceDeleted(TraceDeleted { trace_id: id.clone() });
    let (_, deleted) = state.append_at(&caller, partition, &id, vec![(ids::event_id(), event)]).await?;
    let position = state.signer.position(&Position { records: vec![closed, deleted] });
    Ok((StatusCode::NO_CONTENT, [("x-retrace-position", position)]).into_response())
}

pub async fn golden(
    State(state): State<AppState>,
    principal: Principal,
    names: RequestNames,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<Response, Problem> {
    let id = path_id(&id)?;
    let golden = golden_of(&body.bytes)?;
    state.ask.trace_exists(&headers, &names.id, &id).await?;
    let caller = Caller { principal: &principal, names: &names };
    let partition = topics::trace_partition(&principal.tenant, &id, topics::PARTITIONS);
    let event = Event::GoldenSet(GoldenSet { trace_id: id.clone(), golden });
    let position = state.append(&caller, partition, &id, vec![(ids::event_id(), event)]).await?;
    Ok(([("x-retrace-position", position)], Json(GoldenOut { id, golden })).into_response())
}

fn golden_of(body: &[u8]) -> Result<bool, Problem> {
    object(body, |reader| {
        if reader.fields.get("golden").is_none() {
            reader.fault("golden", "is missing");
        }
        reader.boolean("golden").unwrap_or_default()
    })
}

/// An id of another form cannot name a trace; a read of it is a 404, and so is a write.
pub(crate) fn path_id(id: &str) -> Result<String, Problem> {
    ids::trace_id(id).map_err(|fault| Problem::bad_request(format!("the trace id {fault}")))
}
