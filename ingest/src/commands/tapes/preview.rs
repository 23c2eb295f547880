//! `POST /tapes/preview`: what would be public. Nothing is appended.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::{RequestBody, RequestNames};
use serde_json::value::RawValue;

use super::documents::TapePreview;
use super::handlers::titled;
use super::{parse, snapshot};
use crate::state::AppState;

pub async fn preview(
    State(state): State<AppState>,
    principal: Principal,
    names: RequestNames,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<Json<TapePreview>, Problem> {
    let new = parse::new(&body.bytes, &principal.user)?;
    let snapshot = snapshot::of(&state, &headers, &names, &new).await?;
    let about = titled(new.about, &snapshot.trace.name);
    let mut lines = snapshot.lines.into_iter().map(RawValue::from_string);
    let trace = lines.next().transpose().map_err(Problem::internal)?.unwrap_or_else(|| RawValue::NULL.to_owned());
    Ok(Json(TapePreview {
        title: about.title.unwrap_or_default(),
        description: about.description.unwrap_or_default(),
        tags: about.tags.unwrap_or_default(),
        is_public: new.is_public,
        sha256: snapshot.figures.sha256,
        bytes: snapshot.figures.bytes,
        trace,
        steps: lines.collect::<Result<_, _>>().map_err(Problem::internal)?,
        redactions: snapshot.redactions,
        redaction_count: snapshot.redaction_count,
    }))
}
