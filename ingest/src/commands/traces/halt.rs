//! `POST /traces/:id/halt`: the server ends a run that goes on; its client stops recording and says nothing more of it.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::{ClientIp, RequestBody, RequestNames};
use schemas::events::{Phase, Source, TraceStatus};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::to_raw_value;

use super::documents::HaltOut;
use super::handlers::path_id;
use super::parse::Trace;
use crate::append::{Caller, now};
use crate::json::object;
use crate::state::AppState;

const LONGEST_REASON: usize = 1_024;

#[derive(Deserialize)]
struct Known {
    status: String,
}

pub async fn halt(
    State(state): State<AppState>,
    principal: Principal,
    names: RequestNames,
    axum::Extension(ip): axum::Extension<ClientIp>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<Response, Problem> {
    let id = path_id(&id)?;
    let reason = reason_of(&body.bytes)?;
    let path = format!("/api/v1/traces/{id}?spans=false");
    let known: Known = state.ask.read(&headers, &names.id, &path, "Trace").await?;
    if known.status != TraceStatus::Running.as_str() {
        return Err(Problem::new(StatusCode::CONFLICT, format!("The trace is {} already", known.status)));
    }
    // Known before the trace ends: a retry finds it ended, and would tell nobody.
    let clients = state.live.recording(&principal.tenant, &id).await?;
    let ended = Trace {
        phase: Phase::Ended,
        status: Some(TraceStatus::Failed),
        error: Some(format!("Halted: {reason}")),
        ended_at: Some((now().unix_timestamp_nanos() / 1000) as i64),
        ..Trace::of_spans()
    };
    let caller = Caller { principal: &principal, names: &names };
    let position = state.record(&caller, ip, Source::Patch, &id, vec![ended]).await?;
    let data = to_raw_value(&json!({ "reason": reason })).map_err(Problem::internal)?;
    let halted = state.live.halt(&principal.tenant, clients, &data).await;
    let answer = HaltOut { id, status: TraceStatus::Failed.as_str(), halted };
    Ok(([("x-retrace-position", position)], Json(answer)).into_response())
}

fn reason_of(body: &[u8]) -> Result<String, Problem> {
    object(body, |reader| {
        let reason = reader.name("reason", LONGEST_REASON);
        if reader.fields.get("reason").is_none() || reason.as_deref() == Some("") {
            reader.fault("reason", "is missing");
        }
        reason.unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_halt_says_why() {
        assert_eq!(reason_of(br#"{"reason":"Budget exceeded"}"#).unwrap(), "Budget exceeded");
        let long = format!(r#"{{"reason":"{}"}}"#, "x".repeat(1025));
        for (body, fault) in [
            ("{}", "reason is missing"),
            (r#"{"reason":""}"#, "reason is missing"),
            (r#"{"reason":1}"#, "reason is not text"),
            (long.as_str(), "reason is longer than 1024 characters"),
        ] {
            assert_eq!(reason_of(body.as_bytes()).unwrap_err().message, fault);
        }
    }
}
