//! The trace that a span belongs to, by the span's id alone: clients of version 0.11 end a span without naming its trace, also
//! on another connection than the one that began it.

use axum::Json;
use axum::extract::{Path, State};
use futures::future::try_join_all;
use runtime::Problem;
use runtime::auth::Principal;
use runtime::position::Topic;
use schemas::{ids, topics};

use super::documents::SpanPlace;
use super::down;
use crate::state::AppState;
use crate::stores::Tenant;

/// Spans are sorted by their trace: of so many traces the span is looked for, those under way first, then the newest.
const MOST_TRACES: usize = 1_000;
const DAYS: u32 = 7;

pub async fn place(
    State(state): State<AppState>,
    principal: Principal,
    Path(span): Path<String>,
) -> Result<Json<SpanPlace>, Problem> {
    let span = ids::span_id(&span).map_err(|fault| Problem::bad_request(format!("the span id {fault}")))?;
    let tenant = state.clickhouse.of(&principal).await?;
    if let Some(trace_id) = find(&tenant, &span).await? {
        return Ok(Json(SpanPlace { trace_id }));
    }
    // Its trace's partition is not known: it may be on its way in any of them.
    let waits = (0..topics::PARTITIONS).map(|partition| state.freshness.caught_up(Topic::Telemetry, partition));
    try_join_all(waits).await?;
    let trace_id = find(&tenant, &span).await?.ok_or_else(|| Problem::not_found("Span"))?;
    Ok(Json(SpanPlace { trace_id }))
}

async fn find(tenant: &Tenant, span: &str) -> Result<Option<String>, Problem> {
    let traces = tenant
        .scan(
            "trace_id",
            "trace_list",
            &format!("started_at > now64(6, 'UTC') - toIntervalDay({DAYS})"),
            &format!("ORDER BY status = 'running' DESC, started_at DESC LIMIT {MOST_TRACES}"),
        )
        .fetch_all::<String>()
        .await
        .map_err(down)?;
    if traces.is_empty() {
        return Ok(None);
    }
    let query = tenant.select("trace_id", "spans", "trace_id IN ? AND span_id = ?", "LIMIT 1");
    query.bind(traces).bind(span).fetch_optional().await.map_err(down)
}
