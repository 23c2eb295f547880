//! `GET /prompts/{id}/uses`: how often its versions were used, and what they cost.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use clickhouse::Row;
use insights::prompt_use::{of_id, of_name};
use runtime::Problem;
use runtime::auth::Principal;
use runtime::position::Topic;
use serde::Deserialize;

use super::documents::{PromptUsed, PromptUses, PromptVersionUsed};
use super::find::Address;
use crate::numbers::Number;
use crate::state::AppState;
use crate::stores::down;

const MOST_VERSIONS: usize = 200;
const SUMS: &str = "sum(calls) AS calls, sum(failed) AS failed, sum(tokens) AS tokens, sum(cost) AS cost";

#[derive(Row, Deserialize)]
struct Used {
    prompt_version: i64,
    calls: i64,
    failed: i64,
    tokens: i64,
    cost: i128,
}

pub async fn uses(
    State(state): State<AppState>,
    principal: Principal,
    Path(addressed): Path<String>,
    headers: HeaderMap,
) -> Result<Json<PromptUses>, Problem> {
    state.freshness.after(&state.signer, &headers, Topic::Telemetry).await?;
    let workspace = state.postgres.of(&principal).await?;
    let address = Address::of(&principal, &addressed);
    let prompt = state.resource(&headers, &principal, "Prompt", || address.find(&workspace)).await?;
    let id = prompt.prompt_id.to_string();
    let rows: Vec<Used> = state
        .clickhouse
        .of(&principal)
        .await?
        .select(
            &format!("prompt_version, {SUMS}"),
            "prompt_uses",
            // What a span names may be a version that never was.
            "prompt IN (?, ?) AND prompt_version <= ?",
            "GROUP BY prompt_version HAVING calls > 0 ORDER BY prompt_version DESC",
        )
        .bind(of_id(&id))
        .bind(of_name(&prompt.name))
        .bind(prompt.latest_version)
        .fetch_all()
        .await
        .map_err(down)?;
    let sum = |of: fn(&Used) -> i64| rows.iter().map(of).sum();
    let total = PromptUsed {
        calls: sum(|row| row.calls),
        failed: sum(|row| row.failed),
        tokens: sum(|row| row.tokens),
        cost: Number::money(rows.iter().map(|row| row.cost).sum()),
    };
    let versions = rows.into_iter().take(MOST_VERSIONS).map(Into::into).collect();
    Ok(Json(PromptUses { id, total, versions }))
}

impl From<Used> for PromptVersionUsed {
    fn from(row: Used) -> PromptVersionUsed {
        let Used { prompt_version, calls, failed, tokens, cost } = row;
        let used = PromptUsed { calls, failed, tokens, cost: Number::money(cost) };
        PromptVersionUsed { version: prompt_version, used }
    }
}
