//! The spans of a trace, by page.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::parameters::SPANS_QUERY;

use super::documents::SpanList;
use super::down;
use super::get::{SPAN_ORDER, visible};
use super::payloads::Payloads;
use super::rows::SpanRow;
use crate::cursor::Cursor;
use crate::params::Params;
use crate::state::AppState;

/// What the order takes for a span without a start: 2299-12-31 in microseconds.
const NO_START: i64 = 10_413_705_600_000_000;

pub async fn spans(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
    Query(pairs): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Json<SpanList>, Problem> {
    let mut params = Params::new(pairs, SPANS_QUERY);
    let limit = params.whole("limit");
    let purpose = format!("spans\0{id}");
    let cursor = Cursor::asked(&mut params, &state.signer, &purpose);
    params.finish()?;
    let trace = visible(&state, &principal, &headers, &id).await?;
    let tenant = state.clickhouse.of(&principal).await?;
    let after = "(ifNull(started_at, toDateTime64('2299-12-31 00:00:00', 6, 'UTC')), span_id) > (fromUnixTimestamp64Micro(?, 'UTC'), ?)";
    let after = cursor.as_ref().map_or(String::new(), |_| format!("WHERE {after} "));
    let rest = format!("{after}{SPAN_ORDER} LIMIT {}", limit + 1);
    let mut query = tenant.select("?fields", "spans", "trace_id = ?", &rest).bind(&trace.trace_id);
    if let Some(cursor) = &cursor {
        query = query.bind(cursor.value.parse::<i64>().unwrap_or(0)).bind(&cursor.id);
    }
    let mut rows: Vec<SpanRow> = query.fetch_all().await.map_err(down)?;
    let more = rows.len() as u64 > limit;
    rows.truncate(limit as usize);
    let next_cursor = rows.last().filter(|_| more).map(|last| {
        Cursor { value: last.started_at.unwrap_or(NO_START).to_string(), id: last.span_id.clone() }
            .write(&state.signer, &purpose)
    });
    let ids: Vec<String> = rows.iter().map(|row| row.span_id.clone()).collect();
    let mut payloads = Payloads::of_spans(&tenant, &trace.trace_id, &ids).await?;
    Ok(Json(SpanList {
        spans: rows.into_iter().map(|row| row.answer(&trace.trace_id, &mut payloads)).collect(),
        total: trace.span_count,
        limit,
        next_cursor,
    }))
}
