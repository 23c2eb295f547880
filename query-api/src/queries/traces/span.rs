//! One span of a trace.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use runtime::Problem;
use runtime::auth::Principal;
use runtime::position::Topic;
use schemas::{ids, topics};

use super::documents::SpanOut;
use super::down;
use super::get::visible;
use super::payloads::Payloads;
use super::rows::SpanRow;
use crate::state::AppState;
use crate::stores::Tenant;

pub async fn span(
    State(state): State<AppState>,
    principal: Principal,
    Path((id, span)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Json<SpanOut>, Problem> {
    let span = ids::span_id(&span).map_err(|fault| Problem::bad_request(format!("the span id {fault}")))?;
    let trace = visible(&state, &principal, &headers, &id).await?;
    let tenant = state.clickhouse.of(&principal).await?;
    let id = trace.trace_id;
    let row = match find(&tenant, &id, &span).await? {
        Some(row) => row,
        None => {
            // It may be on its way, or its flush: that writes a trace before its spans.
            let partition = topics::trace_partition(tenant.name(), &id, topics::PARTITIONS);
            state.freshness.caught_up(Topic::Telemetry, partition).await?;
            find(&tenant, &id, &span).await?.ok_or_else(|| Problem::not_found("Span"))?
        }
    };
    let mut payloads = Payloads::of_spans(&tenant, &id, std::slice::from_ref(&span)).await?;
    Ok(Json(row.answer(&id, &mut payloads)))
}

async fn find(tenant: &Tenant, id: &str, span: &str) -> Result<Option<SpanRow>, Problem> {
    let query = tenant.select("?fields", "spans", "trace_id = ? AND span_id = ?", "");
    query.bind(id).bind(span).fetch_optional().await.map_err(down)
}
