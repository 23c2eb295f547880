//! `POST /tapes/import`: a tape that another server has exported, once its hash is right.

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::{FileBody, RequestNames};
use schemas::events::TapeContent;
use schemas::{sealing, tapes};

use super::handlers::publish;
use super::parts::Publication;
use super::{figures, snapshot};
use crate::append::Caller;
use crate::decide::once;
use crate::json::scan;
use crate::query;
use crate::state::AppState;

const MEDIA_TYPE: &str = "application/x-ndjson";

pub async fn import(
    State(state): State<AppState>,
    principal: Principal,
    names: RequestNames,
    Query(pairs): Query<Vec<(String, String)>>,
    headers: HeaderMap,
    body: FileBody,
) -> Result<Response, Problem> {
    if body.media_type != MEDIA_TYPE {
        let refused = format!("Content-Type `{}` is not {MEDIA_TYPE}", body.media_type);
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, refused));
    }
    // Somebody else's tape is not listed unless that is asked for.
    let is_public = query::choice(&pairs, "is_public", &["true", "false"])? == Some("true");
    let file = tapes::read(&body.bytes).map_err(Problem::bad_request)?;
    for (number, line) in (3..).zip(&file.lines) {
        // As every payload that comes.
        let scanned = scan(line).map_err(|fault| Problem::bad_request(format!("line {number}: {fault}")))?;
        if let Some(repair) = scanned.repairs.first() {
            return Err(Problem::bad_request(format!("line {number}: {} is no sound JSON", repair.path)));
        }
    }
    let bytes = snapshot::bytes_of(file.lines.iter().copied());
    snapshot::within(bytes, state.settings.max_tape_bytes)?;
    let caller = Caller { principal: &principal, names: &names };
    let asked = format!("{is_public}{}", sealing::hex(&sealing::sha256(&body.bytes)));
    once(&state, &caller, ("POST /tapes/import", &headers, asked.as_bytes()), async |made| {
        let publication = Publication {
            trace_id: None,
            is_public,
            content: TapeContent {
                user_id: principal.user.clone(),
                title: Some(file.about.title.clone()),
                description: Some(file.about.description.clone()),
                tags: Some(file.about.tags.clone()),
                snapshot: None,
            },
            figures: figures::of_trace(&file.trace, file.sha256.clone(), bytes),
            lines: file.lines.clone(),
            steps: figures::of_steps(&file.trace, &file.steps),
        };
        publish(&state, &caller, &headers, &made, publication).await
    })
    .await
}
