//! The caller's feedback on a trace.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use clickhouse::Row;
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::micros_rfc3339;
use runtime::position::Topic;
use schemas::topics;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::traces::visible;
use crate::state::AppState;
use crate::stores::Tenant;

#[derive(Serialize, ToSchema)]
pub struct FeedbackOut {
    pub feedback: Option<Verdict>,
}

#[derive(Serialize, ToSchema)]
pub struct Verdict {
    pub value: i8,
    pub note: Option<String>,
    pub created_at: String,
    pub updated_at: String,
}

#[derive(Row, Deserialize)]
struct Found {
    value: i8,
    note: Option<String>,
    created_at: i64,
    updated_at: i64,
}

pub async fn get(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<FeedbackOut>, Problem> {
    let trace = visible(&state, &principal, &headers, &id).await?;
    let tenant = state.clickhouse.of(&principal).await?;
    let mut feedback = find(&tenant, &trace.trace_id, &principal.user).await?;
    if feedback.is_none() {
        // Given a moment ago, it may be on its way.
        let partition = topics::trace_partition(tenant.name(), &trace.trace_id, topics::PARTITIONS);
        state.freshness.caught_up(Topic::Telemetry, partition).await?;
        feedback = find(&tenant, &trace.trace_id, &principal.user).await?;
    }
    Ok(Json(FeedbackOut { feedback }))
}

async fn find(tenant: &Tenant, trace_id: &str, user: &str) -> Result<Option<Verdict>, Problem> {
    let found = tenant
        .select("?fields", "feedback", "trace_id = ? AND user_id = ?", "")
        .bind(trace_id)
        .bind(user)
        .fetch_optional::<Found>()
        .await
        .map_err(crate::stores::down)?;
    Ok(found.map(|found| Verdict {
        value: found.value,
        note: found.note,
        created_at: micros_rfc3339(found.created_at),
        updated_at: micros_rfc3339(found.updated_at),
    }))
}
