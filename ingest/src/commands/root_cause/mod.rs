//! `POST /insights/root-cause`: what query-api knows of the failure ([`known`]), and what a model says of it where one is
//! configured ([`question`]). A verdict is an event, since it cannot be derived again; the local analysis is not.

pub mod documents;
mod known;
mod question;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::{RequestBody, RequestNames, rfc3339};
use schemas::events::{RootCauseContent, RootCauseFound};
use schemas::{Event, codec, ids, sealing, topics};
use serde_json::{Map, Value, json};

use self::known::{Known, Verdict};
use self::question::{Question, accept, schema};
use crate::append::{Appended, Caller, now};
use crate::json::object;
use crate::llm::{self, Llm, Said};
use crate::state::AppState;
use crate::usage::Adds;

pub async fn post(
    State(state): State<AppState>,
    principal: Principal,
    names: RequestNames,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<Response, Problem> {
    let (id, refresh) = asked(&body.bytes)?;
    let known: Known = state.ask.root_cause(&headers, &names.id, &id).await?;
    let Some(llm) = state.llm.as_ref() else { return Ok(Json(known.local).into_response()) };
    let question = Question::new(&known.excerpt, llm.model()).map_err(Problem::internal)?;
    if let Some(verdict) = known.verdict.filter(|verdict| verdict.question == question.hash && !refresh) {
        return Ok(Json(shown(known.local, verdict)).into_response());
    }
    let caller = Caller { principal: &principal, names: &names };
    state.within_plan(&caller, &headers, Adds::AiRequests).await?;
    let (instructions, schema) = (Question::INSTRUCTIONS, schema());
    let wire = llm::Question { instructions, text: &question.text, schema: &schema };
    let answered = llm.ask(&principal.tenant, &wire, |text| accept(text, &known.excerpt, &question.hash)).await;
    match answered {
        Ok(said) => {
            let (verdict, position) = append(&state, &caller, &id, llm, said).await?;
            Ok(Appended { status: StatusCode::OK, body: shown(known.local, verdict), position }.into_response())
        }
        Err(fault) => {
            let mut local = known.local;
            local.insert(
                "note".to_owned(),
                json!(format!("{} gave no analysis, this is the local one: {fault}", llm.model())),
            );
            Ok(Json(local).into_response())
        }
    }
}

/// Of which trace, and whether the model is to be asked again.
fn asked(body: &[u8]) -> Result<(String, bool), Problem> {
    object(body, |reader| {
        // As the reference writes it, or like all other bodies.
        let field = if reader.fields.get("trace_id").is_some() { "trace_id" } else { "traceId" };
        if reader.fields.get(field).is_none() {
            reader.fault(field, "is missing");
        }
        let id = reader.id(field, ids::trace_id).unwrap_or_default();
        (id, reader.boolean("refresh").unwrap_or_default())
    })
}

async fn append(
    state: &AppState,
    caller: &Caller<'_>,
    trace_id: &str,
    llm: &Llm,
    said: Said<RootCauseContent>,
) -> Result<(Verdict, String), Problem> {
    let tenant = &caller.principal.tenant;
    let partition = topics::trace_partition(tenant, trace_id, topics::PARTITIONS);
    let key = state.sealing_keys.of(&state.publisher, tenant, trace_id, partition).await?;
    let event_id = ids::event_id();
    let plain = codec::encode("root_cause_content", &said.answer).map_err(Problem::internal)?;
    let found = RootCauseFound {
        trace_id: trace_id.to_owned(),
        engine: llm.engine().to_owned(),
        model: llm.model().to_owned(),
        input_tokens: said.input_tokens,
        output_tokens: said.output_tokens,
        content: sealing::seal(&key, event_id, &plain).map_err(Problem::internal)?,
    };
    let time = now();
    let verdict = Verdict {
        engine: found.engine.clone(),
        model: found.model.clone(),
        found_at: rfc3339(time),
        question: said.answer.question,
        failed_span_id: said.answer.failed_span_id,
        analysis: json!({
            "root_cause": said.answer.root_cause,
            "failed_step": said.answer.failed_step,
            "contributing_factors": said.answer.contributing_factors,
            "suggested_fix": said.answer.suggested_fix,
            "confidence": said.answer.confidence,
        }),
    };
    let events = vec![(event_id, Event::RootCauseFound(found))];
    let (position, _) = state.append_when(time, caller, partition, trace_id, events).await?;
    Ok((verdict, position))
}

/// The local answer with the model's analysis in the place of its own; the evidence is the graph's in both.
fn shown(mut local: Map<String, Value>, verdict: Verdict) -> Map<String, Value> {
    let Verdict { engine, model, found_at, question: _, failed_span_id, analysis } = verdict;
    let fields = [
        ("engine", json!(engine)),
        ("model", json!(model)),
        ("found_at", json!(found_at)),
        ("failed_span_id", json!(failed_span_id)),
        ("analysis", analysis),
    ];
    local.extend(fields.map(|(name, value)| (name.to_owned(), value)));
    local
}
