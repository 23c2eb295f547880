//! Members: what query-api says of them, since it appends nothing.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use runtime::Problem;
use runtime::auth::Principal;

use crate::sightings::Appending;
use crate::state::AppState;

pub async fn seen(
    State(state): State<AppState>,
    principal: Principal,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let kept = state.seen.told(&principal, &headers, &Appending(state.publisher.clone())).await;
    kept.map(|()| StatusCode::ACCEPTED).map_err(|cause| Problem::store_down("Kafka", cause))
}
