//! `POST /traces/:id/replay`: a connected client runs the trace's function again, with what its calls answered then.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::{RequestBody, RequestNames};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use super::documents::ReplayOut;
use super::handlers::path_id;
use crate::ask::segment;
use crate::json::object;
use crate::live::{Command, Dispatched, original_name};
use crate::state::AppState;

/// What a program asks others for; all else it does again by itself.
const ANSWERED: [&str; 2] = ["llm_call", "tool_call"];
const PAGE: usize = 200;

#[derive(Deserialize)]
struct Recorded {
    name: String,
    input: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Page {
    spans: Vec<Step>,
    next_cursor: Option<String>,
}

/// A span, and an entry of the cassette.
#[derive(Deserialize, Serialize)]
struct Step {
    name: String,
    span_type: String,
    model: Option<String>,
    output: Option<Box<RawValue>>,
    input_tokens: Option<i64>,
    output_tokens: Option<i64>,
}

/// How the client records a call of a function.
#[derive(Deserialize)]
struct Called {
    args: Vec<Box<RawValue>>,
    kwargs: serde_json::Map<String, serde_json::Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Replay<'a> {
    trace_id: &'a str,
    trace_name: &'a str,
    input: Vec<Box<RawValue>>,
    cassette: Vec<Step>,
}

pub async fn replay(
    State(state): State<AppState>,
    principal: Principal,
    names: RequestNames,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<Response, Problem> {
    let id = path_id(&id)?;
    let given = input_of(&body.bytes)?;
    let path = format!("/api/v1/traces/{id}?spans=false");
    let recorded: Recorded = state.ask.read(&headers, &names.id, &path, "Trace").await?;
    let input = match given {
        Some(input) => input,
        None => arguments(recorded.input.as_deref())?,
    };
    let cassette = cassette(&state, &headers, &names, &id).await?;
    let trace_name = original_name(&recorded.name);
    let data = Replay { trace_id: &id, trace_name, input, cassette };
    let data = to_raw_value(&data).map_err(Problem::internal)?;
    let command = Command { kind: "replay", trace_name: trace_name.to_owned(), data };
    match state.live.dispatch(&principal.tenant, &command).await? {
        Dispatched::Delivered { connection } => {
            let connection = connection.to_string();
            let answer = ReplayOut { trace_id: id, status: "dispatched", connection };
            Ok((StatusCode::ACCEPTED, Json(answer)).into_response())
        }
        Dispatched::Nobody => Err(conflict("No resumable client is connected")),
    }
}

/// The outputs of the trace's calls in start order, which is how the client looks for them.
async fn cassette(state: &AppState, headers: &HeaderMap, names: &RequestNames, id: &str) -> Result<Vec<Step>, Problem> {
    let mut cassette = Vec::new();
    let mut bytes = 0;
    let mut path = format!("/api/v1/traces/{id}/spans?limit={PAGE}");
    loop {
        let page: Page = state.ask.read(headers, &names.id, &path, "Trace").await?;
        for mut step in page.spans.into_iter().filter(|step| ANSWERED.contains(&step.span_type.as_str())) {
            bytes += step.output.as_ref().map_or(0, |output| output.get().len());
            // It records calls of Gemini by one name and looks for them by another.
            if step.name == "retrace.ai.generate" {
                step.name = "gemini.generate_content".to_owned();
            }
            cassette.push(step);
        }
        if bytes > state.settings.max_body_bytes {
            return Err(conflict("The trace is too large to be replayed"));
        }
        match page.next_cursor {
            Some(cursor) => path = format!("/api/v1/traces/{id}/spans?limit={PAGE}&cursor={}", segment(&cursor)),
            None => return Ok(cassette),
        }
    }
}

fn input_of(body: &[u8]) -> Result<Option<Vec<Box<RawValue>>>, Problem> {
    if body.is_empty() {
        return Ok(None);
    }
    object(body, |reader| {
        let input = serde_json::from_str(reader.fields.get("input")?.get()).ok();
        if input.is_none() {
            reader.fault("input", "is not a list of arguments");
        }
        input
    })
}

/// The client passes a list as arguments, and cannot be given any by name.
fn arguments(recorded: Option<&RawValue>) -> Result<Vec<Box<RawValue>>, Problem> {
    let called = recorded.and_then(|input| serde_json::from_str::<Called>(input.get()).ok());
    let called = called.ok_or_else(|| conflict("The trace is not that of a recorded function: give its input"))?;
    if !called.kwargs.is_empty() {
        return Err(conflict("The function was called with arguments by name: give its input as a list"));
    }
    Ok(called.args)
}

fn conflict(why: &str) -> Problem {
    Problem::new(StatusCode::CONFLICT, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replay_takes_a_list_of_arguments() {
        let texts = |list: Vec<Box<RawValue>>| list.iter().map(|one| one.get().to_owned()).collect::<Vec<_>>();
        assert!(input_of(b"").unwrap().is_none() && input_of(b"{}").unwrap().is_none());
        assert_eq!(texts(input_of(br#"{"input":["hi",{"a":1}]}"#).unwrap().unwrap()), ["\"hi\"", r#"{"a":1}"#]);
        let fault = input_of(br#"{"input":{"args":[]}}"#).unwrap_err().message;
        assert_eq!(fault, "input is not a list of arguments");
        let recorded = |text: &str| arguments(Some(&serde_json::from_str::<Box<RawValue>>(text).unwrap()));
        assert_eq!(texts(recorded(r#"{"args":["hi"],"kwargs":{}}"#).unwrap()), ["\"hi\""]);
        for text in [r#"{"args":["hi"],"kwargs":{"depth":2}}"#, r#""text""#, "[1]"] {
            assert_eq!(recorded(text).unwrap_err().status, StatusCode::CONFLICT, "{text}");
        }
    }
}
