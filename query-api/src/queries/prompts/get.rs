//! `GET /prompts/{id}`: with its newest versions, or the one that a label or a number names.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::parameters::PROMPT_QUERY;

use super::documents::PromptOut;
use super::find::Address;
use super::versions::{Span, cursor};
use crate::params::Params;
use crate::state::AppState;

const MOST_VERSIONS: i64 = 200;

pub async fn get(
    State(state): State<AppState>,
    principal: Principal,
    Path(addressed): Path<String>,
    Query(pairs): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut params = Params::new(pairs, PROMPT_QUERY);
    let label = params.text("label");
    let version = params.whole_if_given("version").and_then(|version| i64::try_from(version).ok());
    if label.is_some() && version.is_some() {
        params.fault("label and version exclude each other".to_owned());
    }
    params.finish()?;
    let workspace = state.postgres.of(&principal).await?;
    let address = Address::of(&principal, &addressed);
    let row = state.resource(&headers, &principal, "Prompt", || address.find(&workspace)).await?;
    let (id, latest) = (row.prompt_id, row.latest_version);
    let only = match (label, version) {
        (Some(label), _) => Some(row.labelled(&label)?),
        (None, Some(version)) => Some(row.version(version)?),
        (None, None) => None,
    };
    let span = match only {
        Some(version) => Span { id, from: version, to: version },
        None => Span { id, from: 1, to: latest }.newest(&workspace, MOST_VERSIONS).await?,
    };
    let versions = span.read(&workspace).await?.into_iter().map(Into::into).collect();
    let older = only.is_none() && span.from > 1;
    let body = PromptOut {
        prompt: row.into(),
        versions,
        versions_total: latest,
        versions_cursor: older.then(|| cursor(&state.signer, &span)),
    };
    Ok(([(header::ETAG, format!("\"{latest}\""))], Json(body)).into_response())
}
