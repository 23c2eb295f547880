//! The table of contents.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{delete, patch, post};
use runtime::http::{Gate, Rooms, Service};

use crate::commands::{api_keys, feedback, root_cause, traces};
use crate::state::AppState;

pub fn router(state: AppState, gate: Gate) -> anyhow::Result<Router> {
    let rooms = Rooms::new(Service::Ingest, gate)
        .on("POST", "/api/v1/traces", post(traces::post))?
        .on("PATCH", "/api/v1/traces/{id}", patch(traces::patch))?
        .on("DELETE", "/api/v1/traces/{id}", delete(traces::delete))?
        .on("POST", "/api/v1/traces/{id}/golden", post(traces::golden))?
        .on("POST", "/api/v1/traces/{id}/feedback", post(feedback::post))?
        .on("POST", "/api/v1/insights/root-cause", post(root_cause::post))?
        .on("POST", "/api/v1/api-keys", post(api_keys::post))?
        .on("DELETE", "/api/v1/api-keys", delete(api_keys::delete))?
        .on("POST", "/api/v1/internal/logs", post(|| async { StatusCode::ACCEPTED }))?;
    Ok(rooms.finish()?.with_state(state))
}
