//! The table of contents.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{delete, patch, post, put};
use runtime::http::{Gate, Rooms, Service};

use crate::commands::{api_keys, feedback, memory, prompts, root_cause, skills, traces};
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
        .on("POST", "/api/v1/skills", post(skills::post))?
        .on("PATCH", "/api/v1/skills/{id}", patch(skills::patch))?
        .on("DELETE", "/api/v1/skills/{id}", delete(skills::delete))?
        .on("POST", "/api/v1/skills/{id}/restore", post(skills::restore))?
        .on("POST", "/api/v1/prompts", post(prompts::post))?
        .on("DELETE", "/api/v1/prompts/{id}", delete(prompts::delete))?
        .on("POST", "/api/v1/prompts/{id}/versions", post(prompts::post_version))?
        .on("PUT", "/api/v1/prompts/{id}/labels/{label}", put(prompts::label))?
        .on("DELETE", "/api/v1/prompts/{id}/labels/{label}", delete(prompts::unlabel))?
        .on("POST", "/api/v1/memory", post(memory::post))?
        .on("DELETE", "/api/v1/memory/{id}", delete(memory::delete))?
        .on("POST", "/api/v1/internal/logs", post(|| async { StatusCode::ACCEPTED }))?;
    Ok(rooms.finish()?.with_state(state))
}
