//! The table of contents.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{delete, get, patch, post, put};
use runtime::http::{Gate, Rooms, Service};

use crate::commands::collaboration::{assignments, comments, notifications};
use crate::commands::{
    api_keys, billing, datasets, feedback, members, memory, prompts, root_cause, skills, tapes, traces,
};
use crate::live;
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
        .on("POST", "/api/v1/api-keys/all", post(api_keys::post_named))?
        .on("PATCH", "/api/v1/api-keys/all/{id}", patch(api_keys::patch))?
        .on("DELETE", "/api/v1/api-keys/all/{id}", delete(api_keys::withdraw))?
        .on("POST", "/api/v1/internal/seen", post(members::seen))?
        .on("POST", "/api/v1/datasets", post(datasets::post))?
        .on("PATCH", "/api/v1/datasets/{id}", patch(datasets::patch))?
        .on("DELETE", "/api/v1/datasets/{id}", delete(datasets::delete))?
        .on("POST", "/api/v1/datasets/{id}/items", post(datasets::post_item))?
        .on("PATCH", "/api/v1/datasets/{id}/items/{item_id}", patch(datasets::patch_item))?
        .on("DELETE", "/api/v1/datasets/{id}/items/{item_id}", delete(datasets::delete_item))?
        .on("POST", "/api/v1/datasets/{id}/import", post(datasets::import))?
        .on("POST", "/api/v1/billing/checkout", post(billing::checkout))?
        .on("POST", "/api/v1/billing/portal", post(billing::portal))?
        .on("POST", "/api/v1/billing/webhook", post(billing::webhook))?
        .on("POST", "/api/v1/comments", post(comments::post))?
        .on("PATCH", "/api/v1/comments/{id}", patch(comments::patch))?
        .on("DELETE", "/api/v1/comments/{id}", delete(comments::delete))?
        .on("POST", "/api/v1/assignments", post(assignments::post))?
        .on("PATCH", "/api/v1/assignments/{id}", patch(assignments::patch))?
        .on("DELETE", "/api/v1/assignments/{id}", delete(assignments::delete))?
        .on("PATCH", "/api/v1/notifications/read", patch(notifications::read))?
        .on("PATCH", "/api/v1/notifications/{id}/read", patch(notifications::read_one))?
        .on("POST", "/api/v1/traces/{id}/halt", post(traces::halt))?
        .on("POST", "/api/v1/traces/{id}/replay", post(traces::replay))?
        .on("GET", "/ws/v1/stream", get(live::stream))?
        .on("POST", "/api/v1/internal/live/find", post(live::find))?
        .on("POST", "/api/v1/internal/live/deliver", post(live::deliver))?
        .on("POST", "/api/v1/tapes", post(tapes::post))?
        .on("POST", "/api/v1/tapes/preview", post(tapes::preview))?
        .on("POST", "/api/v1/tapes/import", post(tapes::import))?
        .on("PATCH", "/api/v1/tapes/{slug}", patch(tapes::patch))?
        .on("DELETE", "/api/v1/tapes/{slug}", delete(tapes::delete))?
        .on("POST", "/api/v1/internal/tape-views", post(tapes::viewed))?
        .on("POST", "/api/v1/internal/logs", post(|| async { StatusCode::ACCEPTED }))?;
    Ok(rooms.finish()?.with_state(state))
}
