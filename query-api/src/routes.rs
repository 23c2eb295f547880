//! The table of contents.

use axum::Router;
use axum::routing::{get, post};
use runtime::http::{Gate, Rooms, Service};

use crate::queries::{analytics, api_keys, export, feedback, insights, memory, models, prompts, skills, traces};
use crate::state::AppState;

pub fn router(state: AppState, gate: Gate) -> anyhow::Result<Router> {
    let rooms = Rooms::new(Service::QueryApi, gate)
        .on("GET", "/api/v1/traces", get(traces::list))?
        .on("GET", "/api/v1/traces/export", get(export::traces))?
        .on("GET", "/api/v1/traces/{id}", get(traces::get))?
        .on("GET", "/api/v1/traces/{id}/spans", get(traces::spans))?
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
        .on("POST", "/api/v1/memory/search", post(memory::search))?
        .on("GET", "/api/v1/memory", get(memory::list))?
        .on("GET", "/api/v1/memory/{id}", get(memory::get))?;
    Ok(rooms.finish()?.with_state(state))
}
