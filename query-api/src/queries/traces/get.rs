//! One trace, with its spans.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::parameters::TRACE_QUERY;
use runtime::position::Topic;
use schemas::{ids, topics};

use super::documents::TraceWithSpans;
use super::down;
use super::payloads::Payloads;
use super::rows::{SpanRow, TraceRow};
use crate::params::Params;
use crate::state::AppState;
use crate::stores::Tenant;

/// Spans in start order; those without a start last.
pub(super) const SPAN_ORDER: &str =
    "ORDER BY ifNull(started_at, toDateTime64('2299-12-31 00:00:00', 6, 'UTC')), span_id";

pub async fn get(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
    Query(pairs): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Json<TraceWithSpans>, Problem> {
    let mut params = Params::new(pairs, TRACE_QUERY);
    let is_alone = params.one_of("spans").as_deref() == Some("false");
    params.finish()?;
    let mut trace = visible(&state, &principal, &headers, &id).await?;
    let tenant = state.clickhouse.of(&principal).await?;
    let id = trace.trace_id.clone();
    if is_alone {
        let mut payloads = Payloads::of_spans(&tenant, &id, &[String::new()]).await?;
        return Ok(Json(TraceWithSpans { trace: trace.answer(&mut payloads, true), spans: None }));
    }
    let partition = topics::trace_partition(tenant.name(), &id, topics::PARTITIONS);
    let (mut spans, mut payloads) = tokio::try_join!(spans_of(&tenant, &id), Payloads::of_trace(&tenant, &id))?;
    if spans.len() as u64 != trace.span_count {
        // A flush is under way: it writes a trace before its spans.
        state.freshness.caught_up(Topic::Telemetry, partition).await?;
        trace = find(&tenant, &id).await?.ok_or_else(|| Problem::not_found("Trace"))?;
        (spans, payloads) = tokio::try_join!(spans_of(&tenant, &id), Payloads::of_trace(&tenant, &id))?;
    }
    Ok(Json(TraceWithSpans {
        trace: trace.answer(&mut payloads, true),
        spans: Some(spans.into_iter().map(|span| span.answer(&id, &mut payloads)).collect()),
    }))
}

async fn spans_of(tenant: &Tenant, id: &str) -> Result<Vec<SpanRow>, Problem> {
    tenant.select("?fields", "spans", "trace_id = ?", SPAN_ORDER).bind(id).fetch_all().await.map_err(down)
}

/// The trace, if the caller may see it. Where it is absent and the projection lags, the lag is waited for before the 404.
pub async fn visible(
    state: &AppState,
    principal: &Principal,
    headers: &HeaderMap,
    id: &str,
) -> Result<TraceRow, Problem> {
    let id = ids::trace_id(id).map_err(|fault| Problem::bad_request(format!("the trace id {fault}")))?;
    state.freshness.after(&state.signer, headers, Topic::Telemetry).await?;
    let tenant = state.clickhouse.of(principal).await?;
    if let Some(trace) = find(&tenant, &id).await? {
        return Ok(trace);
    }
    let partition = topics::trace_partition(tenant.name(), &id, topics::PARTITIONS);
    state.freshness.caught_up(Topic::Telemetry, partition).await?;
    find(&tenant, &id).await?.ok_or_else(|| Problem::not_found("Trace"))
}

pub(super) async fn find(tenant: &Tenant, id: &str) -> Result<Option<TraceRow>, Problem> {
    tenant.select("?fields", "traces", "trace_id = ?", "").bind(id).fetch_optional().await.map_err(down)
}
