//! The caller's plan.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::rfc3339;
use runtime::position::Topic;
use serde::Serialize;
use utoipa::ToSchema;

use crate::plans::Held;
use crate::state::AppState;

#[derive(Serialize, ToSchema)]
pub struct BillingPlanOut {
    pub plan: String,
    /// `active`; `past_due`: a payment failed; `cancelled`: it does not go on
    pub status: String,
    /// Since when it has this status; null: nothing was ever said of it
    pub since: Option<String>,
    /// Until when the plan is had; null: it goes on
    pub ends_at: Option<String>,
    /// `billing`, `operator`, or `default`: nobody gave another
    pub source: String,
    pub limits: PlanLimits,
}

/// What is allowed a month; null: any number
#[derive(Serialize, ToSchema)]
pub struct PlanLimits {
    pub traces: Option<u64>,
    pub spans: Option<u64>,
    pub ai_requests: Option<u64>,
}

pub async fn plan(
    State(state): State<AppState>,
    principal: Principal,
    headers: HeaderMap,
) -> Result<Json<BillingPlanOut>, Problem> {
    state.freshness.after(&state.signer, &headers, Topic::Workspace).await?;
    let Held { plan, status, since, ends_at, source } = state.plan_of(&principal).await?;
    Ok(Json(BillingPlanOut {
        plan: plan.name,
        status: status.to_owned(),
        since: since.map(rfc3339),
        ends_at: ends_at.map(rfc3339),
        source: source.to_owned(),
        limits: PlanLimits { traces: plan.traces, spans: plan.spans, ai_requests: plan.ai_requests },
    }))
}
