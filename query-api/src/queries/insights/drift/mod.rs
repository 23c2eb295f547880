//! `GET /insights/drift`: a request's [`windows`], the [`samples`] in them, and what the method concludes ([`judge`]).

pub mod documents;
mod judge;
mod samples;
mod windows;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use runtime::Problem;
use runtime::auth::Principal;
use runtime::position::Topic;

use documents::DriftOut;
pub use judge::Bounds;
use windows::Asked;

use crate::state::AppState;

pub async fn drift(
    State(state): State<AppState>,
    principal: Principal,
    Query(pairs): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Json<DriftOut>, Problem> {
    let asked = Asked::read(pairs)?;
    state.freshness.after(&state.signer, &headers, Topic::Telemetry).await?;
    let tenant = state.clickhouse.of(&principal).await?;
    let samples = samples::read(&tenant, &asked).await?;
    let bounds = state.drift;
    // Thousands of arrangements are a matter of the processor.
    let judged = tokio::task::spawn_blocking(move || judge::answer(&asked, &samples, bounds));
    Ok(Json(judged.await.map_err(Problem::internal)?))
}
