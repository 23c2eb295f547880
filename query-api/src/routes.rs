//! The table of contents.

use axum::Router;
use axum::routing::{get, post};
use runtime::http::{Gate, Rooms, Service};

use crate::queries::collaboration::{assignments, comments, notifications};
use crate::queries::tapes::pages;
use crate::queries::{
    analytics, api_keys, audit, billing, datasets, export, feedback, insights, members, memory, models, prompts,
    skills, tapes, traces, usage,
};
use crate::state::AppState;

pub fn router(state: AppState, gate: Gate) -> anyhow::Result<Router> {
    let rooms = Rooms::new(Service::QueryApi, gate)
        .on("GET", "/api/v1/traces", get(traces::list))?
        .on("GET", "/api/v1/traces/export", get(export::traces))?
        .on("GET", "/api/v1/traces/diff", get(traces::diff))?
        .on("GET", "/api/v1/traces/{id}", get(traces::get))?
        .on("GET", "/api/v1/traces/{id}/spans", get(traces::spans))?
        .on("GET", "/api/v1/traces/{id}/spans/{span_id}", get(traces::span))?
        .on("GET", "/api/v1/traces/{id}/feedback", get(feedback::get))?
        .on("GET", "/api/v1/traces/{id}/root-cause", get(insights::root_cause::known))?
        .on("GET", "/api/v1/spans/export", get(export::spans))?
        .on("GET", "/api/v1/analytics/costs", get(analytics::costs))?
        .on("GET", "/api/v1/analytics/cost-intelligence", get(analytics::cost_intelligence))?
        .on("GET", "/api/v1/models", get(models::list))?
        .on("GET", "/api/v1/insights/drift", get(insights::drift::drift))?
        .on("GET", "/api/v1/insights/anomalies", get(insights::anomalies::anomalies))?
        .on("GET", "/api/v1/insights/anomalies/backtest", get(insights::anomalies::backtest))?
        .on("GET", "/api/v1/insights/failures", get(insights::failures::list))?
        .on("GET", "/api/v1/insights/failures/{id}/traces", get(insights::failures::traces))?
        .on("GET", "/api/v1/api-keys", get(api_keys::get))?
        .on("GET", "/api/v1/skills", get(skills::list))?
        .on("GET", "/api/v1/skills/{id}", get(skills::get))?
        .on("GET", "/api/v1/skills/{id}/versions", get(skills::versions))?
        .on("GET", "/api/v1/prompts", get(prompts::list))?
        .on("GET", "/api/v1/prompts/{id}", get(prompts::get))?
        .on("GET", "/api/v1/prompts/{id}/versions", get(prompts::versions))?
        .on("GET", "/api/v1/prompts/{id}/diff", get(prompts::diff))?
        .on("GET", "/api/v1/prompts/{id}/uses", get(prompts::uses))?
        .on("POST", "/api/v1/memory/search", post(memory::search))?
        .on("GET", "/api/v1/memory", get(memory::list))?
        .on("GET", "/api/v1/memory/{id}", get(memory::get))?
        .on("GET", "/api/v1/api-keys/all", get(api_keys::list))?
        .on("GET", "/api/v1/api-keys/all/{id}", get(api_keys::get_one))?
        .on("GET", "/api/v1/members", get(members::list))?
        .on("GET", "/api/v1/audit-logs/export", get(audit::export))?
        .on("GET", "/api/v1/audit-logs/heads", get(audit::heads))?
        .on("GET", "/api/v1/usage", get(usage::month))?
        .on("GET", "/api/v1/usage/daily", get(usage::daily))?
        .on("GET", "/api/v1/internal/usage", get(usage::counts))?
        .on("GET", "/api/v1/datasets", get(datasets::list))?
        .on("GET", "/api/v1/datasets/{id}", get(datasets::get))?
        .on("GET", "/api/v1/datasets/{id}/items", get(datasets::items))?
        .on("GET", "/api/v1/datasets/{id}/items/{item_id}", get(datasets::item))?
        .on("GET", "/api/v1/datasets/{id}/versions", get(datasets::versions))?
        .on("GET", "/api/v1/datasets/{id}/export", get(datasets::export))?
        .on("GET", "/api/v1/billing/plan", get(billing::plan))?
        .on("GET", "/api/v1/comments", get(comments::list))?
        .on("GET", "/api/v1/comments/{id}", get(comments::get))?
        .on("GET", "/api/v1/assignments", get(assignments::list))?
        .on("GET", "/api/v1/assignments/{id}", get(assignments::get))?
        .on("GET", "/api/v1/notifications", get(notifications::list))?
        .on("GET", "/api/v1/notifications/{id}", get(notifications::get))?
        .on("GET", "/api/v1/internal/spans/{span_id}", get(traces::place))?
        .on("GET", "/api/v1/tapes", get(tapes::list))?
        .on("GET", "/api/v1/tapes/explore", get(tapes::explore))?
        .on("GET", "/api/v1/tapes/{slug}", get(tapes::get))?
        .on("GET", "/api/v1/tapes/{slug}/outline", get(tapes::outline))?
        .on("GET", "/api/v1/tapes/{slug}/trace", get(tapes::trace))?
        .on("GET", "/api/v1/tapes/{slug}/steps", get(tapes::steps))?
        .on("GET", "/api/v1/tapes/{slug}/export", get(tapes::export))?
        .on("GET", "/t/{slug}", get(pages::page))?
        .on("GET", "/t/{slug}/card.png", get(pages::card))?
        .on("GET", "/embed/{slug}", get(pages::embed))?
        .on("GET", "/oembed", get(pages::oembed))?
        .on("GET", "/assets/{hash}/{file}", get(pages::asset))?
        .on("GET", "/assets/{hash}/{folder}/{file}", get(pages::asset_of_folder))?;
    Ok(rooms.finish()?.with_state(state))
}
