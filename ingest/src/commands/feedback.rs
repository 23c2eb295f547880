//! Feedback: thumbs up or down on a trace, one a user.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::{RequestBody, RequestNames};
use schemas::events::{FeedbackContent, FeedbackGiven};
use schemas::{Event, codec, ids, sealing, topics};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::{ObjectBuilder, Type};

use super::traces::path_id;
use crate::append::Caller;
use crate::json::object;
use crate::state::AppState;

const LONGEST_NOTE: usize = 65_536;

#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct FeedbackIn {
    #[schema(schema_with = up_or_down)]
    pub value: i32,
    #[schema(max_length = 65_536, pattern = r"^[^\u0000]*$")]
    pub note: Option<String>,
}

fn up_or_down() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Integer).description(Some("Thumbs up or down")).enum_values(Some([1, -1]))
}

#[derive(Serialize, ToSchema)]
pub struct FeedbackGivenOut {
    #[schema(inline)]
    feedback: Given,
}

#[derive(Serialize, ToSchema)]
struct Given {
    value: i32,
    note: Option<String>,
}

pub async fn post(
    State(state): State<AppState>,
    principal: Principal,
    names: RequestNames,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<Response, Problem> {
    let id = path_id(&id)?;
    let verdict = verdict_of(&body.bytes)?;
    state.ask.trace_exists(&headers, &names.id, &id).await?;
    let partition = topics::trace_partition(&principal.tenant, &id, topics::PARTITIONS);
    let key = state.sealing_keys.of(&state.publisher, &principal.tenant, &id, partition).await?;
    let event_id = ids::event_id();
    let plain = codec::encode(
        "feedback_content",
        &FeedbackContent { user_id: principal.user.clone(), note: verdict.note.clone() },
    )
    .map_err(Problem::internal)?;
    let event = Event::FeedbackGiven(FeedbackGiven {
        trace_id: id.clone(),
        value: verdict.value,
        content: sealing::seal(&key, event_id, &plain).map_err(Problem::internal)?,
    });
    let caller = Caller { principal: &principal, names: &names };
    let position = state.append(&caller, partition, &id, vec![(event_id, event)]).await?;
    Ok((StatusCode::CREATED, [("x-retrace-position", position)], axum::Json(FeedbackGivenOut { feedback: verdict }))
        .into_response())
}

fn verdict_of(body: &[u8]) -> Result<Given, Problem> {
    object(body, |reader| {
        let value = match reader.fields.get("value").map(|raw| raw.get()) {
            Some("1" | "1.0" | "+1") => 1,
            Some("-1" | "-1.0") => -1,
            Some(_) => {
                reader.fault("value", "is neither 1 nor -1");
                0
            }
            None => {
                reader.fault("value", "is missing");
                0
            }
        };
        Given { value, note: reader.name("note", LONGEST_NOTE) }
    })
}
