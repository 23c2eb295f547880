//! The list of traces: a page of ids from the time-ordered table, then those traces.

use std::collections::HashMap;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use clickhouse::Row;
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::parameters::LIST_QUERY;
use runtime::position::Topic;
use schemas::Money;
use serde::Deserialize;

use super::documents::TraceList;
use super::down;
use super::payloads::Payloads;
use super::rows::TraceRow;
use crate::cursor::Cursor;
use crate::params::Params;
use crate::state::AppState;
use crate::stores::Tenant;
use crate::times::{LOOKS_BACK, moment, now};
use crate::trace_filters::Filters;

/// Filtered lists are counted this far unless an exact count is asked for.
const COUNTED: u64 = 10_000;

#[derive(Clone, Copy)]
struct Sort {
    column: &'static str,
    descending: bool,
}

#[derive(Row, Deserialize)]
struct Place {
    trace_id: String,
    started_at: i64,
    total_cost: i128,
    total_tokens: i64,
    total_duration_us: i64,
}

impl Sort {
    fn read(params: &mut Params) -> Sort {
        let text = params.one_of("sort").unwrap_or_else(|| "-started_at".to_owned());
        let (name, descending) = text.strip_prefix('-').map_or((text.as_str(), false), |name| (name, true));
        let column = match name {
            "total_cost" => "total_cost",
            "total_tokens" => "total_tokens",
            "total_duration_ms" => "total_duration_us",
            _ => "started_at",
        };
        Sort { column, descending }
    }

    fn order(self) -> String {
        let direction = if self.descending { "DESC" } else { "ASC" };
        format!("ORDER BY {} {direction}, trace_id {direction}", self.column)
    }

    /// Rows behind a cursor; ties are broken by the id.
    fn behind(self) -> String {
        let value = match self.column {
            "started_at" => "fromUnixTimestamp64Micro(?, 'UTC')",
            "total_cost" => "toDecimal128(?, 12)",
            _ => "?",
        };
        format!("({}, trace_id) {} ({value}, ?)", self.column, if self.descending { '<' } else { '>' })
    }

    /// From when on the page is looked for, one after the other until it is full: the newest are among the new.
    fn since(self, filters: &Filters, cursor: Option<&Cursor>) -> Vec<Option<i64>> {
        if self.column != "started_at" || !self.descending {
            return vec![None];
        }
        let behind = cursor.and_then(|cursor| cursor.value.parse().ok());
        let newest = [behind, filters.to].into_iter().flatten().min().unwrap_or_else(now);
        LOOKS_BACK.iter().map(|back| back.map(|back| newest.saturating_sub(back))).collect()
    }

    fn cursor(self, place: &Place) -> Cursor {
        let value = match self.column {
            "started_at" => place.started_at.to_string(),
            "total_cost" => Money(place.total_cost).to_string(),
            "total_tokens" => place.total_tokens.to_string(),
            _ => place.total_duration_us.to_string(),
        };
        Cursor { value, id: place.trace_id.clone() }
    }
}

pub async fn list(
    State(state): State<AppState>,
    principal: Principal,
    Query(pairs): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Json<TraceList>, Problem> {
    let mut params = Params::new(pairs, LIST_QUERY);
    let filters = Filters::read(&mut params);
    let sort = Sort::read(&mut params);
    let limit = params.whole("limit");
    let offset = params.whole("offset");
    let exact = params.one_of("count").is_some();
    let purpose = format!("traces\0{}\0{}\0{}", filters.fingerprint(), sort.column, sort.descending);
    let cursor = Cursor::asked(&mut params, &state.signer, &purpose);
    if cursor.is_some() && offset > 0 {
        params.fault("offset and cursor exclude each other".to_owned());
    }
    params.finish()?;
    state.freshness.after(&state.signer, &headers, Topic::Telemetry).await?;
    let tenant = state.clickhouse.of(&principal).await?;
    let mut places = page(&tenant, &filters, sort, cursor.as_ref(), limit + 1, offset).await?;
    let more = places.len() as u64 > limit;
    places.truncate(limit as usize);
    let next_cursor = places.last().filter(|_| more).map(|last| sort.cursor(last).write(&state.signer, &purpose));
    let (total, total_is) = total(&tenant, &filters, exact).await?;
    let traces = read(&tenant, places).await?;
    Ok(Json(TraceList { traces, total, total_is, limit, offset, next_cursor }))
}

async fn page(
    tenant: &Tenant,
    filters: &Filters,
    sort: Sort,
    cursor: Option<&Cursor>,
    limit: u64,
    offset: u64,
) -> Result<Vec<Place>, Problem> {
    let mut condition = filters.condition();
    if cursor.is_some() {
        condition = format!("{condition} AND {}", sort.behind());
    }
    let rest = format!("{} LIMIT {limit} OFFSET {offset}", sort.order());
    let mut places = Vec::new();
    for since in sort.since(filters, cursor) {
        let since = since.map_or(String::new(), |since| format!(" AND started_at >= {}", moment(since)));
        let query = filters.bind(tenant.scan("?fields", "trace_list", &format!("{condition}{since}"), &rest));
        let query = match cursor {
            Some(cursor) if sort.column == "total_cost" => query.bind(&cursor.value).bind(&cursor.id),
            Some(cursor) => query.bind(cursor.value.parse::<i64>().unwrap_or(0)).bind(&cursor.id),
            None => query,
        };
        places = query.fetch_all().await.map_err(down)?;
        if places.len() as u64 == limit {
            break;
        }
    }
    Ok(places)
}

/// The traces of a page, in its order. One that was deleted in between is left out.
async fn read(tenant: &Tenant, places: Vec<Place>) -> Result<Vec<super::documents::TraceOut>, Problem> {
    if places.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<String> = places.iter().map(|place| place.trace_id.clone()).collect();
    let rows: Vec<TraceRow> =
        tenant.select("?fields", "traces", "trace_id IN ?", "").bind(&ids).fetch_all().await.map_err(down)?;
    let mut payloads = Payloads::of_list(tenant, &ids).await?;
    let mut found: HashMap<String, TraceRow> = rows.into_iter().map(|row| (row.trace_id.clone(), row)).collect();
    Ok(ids.iter().filter_map(|id| Some(found.remove(id)?.answer(&mut payloads, false))).collect())
}

/// Exact from the counts where they know the filters, else counted up to a bound.
async fn total(tenant: &Tenant, filters: &Filters, exact: bool) -> Result<(u64, Option<&'static str>), Problem> {
    if let Some(counted) = &filters.counted {
        let condition: Vec<String> = counted.iter().map(|(column, _)| format!("{column} = ?")).collect();
        let condition = if condition.is_empty() { "true".to_owned() } else { condition.join(" AND ") };
        let query = tenant.scan("sum(traces)", "trace_counts", &condition, "");
        let query = counted.iter().fold(query, |query, (_, value)| query.bind(value));
        let sum: i64 = query.fetch_one().await.map_err(down)?;
        return Ok((sum.max(0) as u64, None));
    }
    let at_most = if exact { u64::MAX >> 1 } else { COUNTED + 1 };
    let query = tenant.count("trace_list", &filters.condition(), at_most);
    let count: u64 = filters.bind(query).fetch_one().await.map_err(down)?;
    Ok(if !exact && count > COUNTED { (COUNTED, Some("at_least")) } else { (count, None) })
}
