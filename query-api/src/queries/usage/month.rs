//! `GET /usage`: the month to date.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use runtime::Problem;
use runtime::auth::Principal;
use runtime::month::Month;
use runtime::position::Topic;

use super::counted::{since, stored_bytes};
use super::documents::{MonthCounts, UsageOut, UsedOf};
use crate::state::AppState;

pub async fn month(
    State(state): State<AppState>,
    principal: Principal,
    headers: HeaderMap,
) -> Result<Json<UsageOut>, Problem> {
    state.freshness.after(&state.signer, &headers, Topic::Telemetry).await?;
    state.freshness.after(&state.signer, &headers, Topic::Workspace).await?;
    let tenant = &state.clickhouse.of(&principal).await?;
    let month = Month::now();
    let first = month.first_day();
    let (held, counted, storage_bytes) =
        tokio::try_join!(state.plan_of(&principal), since(tenant, &first), stored_bytes(tenant))?;
    let plan = held.plan;
    Ok(Json(UsageOut {
        period_start: month.start(),
        period_end: month.end(),
        traces: UsedOf { used: counted.traces, limit: plan.traces },
        spans: UsedOf { used: counted.spans, limit: plan.spans },
        ai_requests: UsedOf { used: counted.ai_requests, limit: plan.ai_requests },
        plan: plan.name,
        storage_bytes,
    }))
}

/// What limits are held against, without what takes longer.
pub async fn counts(State(state): State<AppState>, principal: Principal) -> Result<Json<MonthCounts>, Problem> {
    let tenant = state.clickhouse.of(&principal).await?;
    let month = Month::now();
    let counted = since(&tenant, &month.first_day()).await?;
    Ok(Json(MonthCounts {
        month: month.first_day(),
        traces: counted.traces,
        spans: counted.spans,
        ai_requests: counted.ai_requests,
    }))
}
