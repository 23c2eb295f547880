//! The totals of usage, by day.

use clickhouse::Row;
use runtime::Problem;
use serde::Deserialize;

use crate::stores::{Tenant, down};

/// What limits are held against, of some days together.
#[derive(Row, Deserialize)]
pub struct Counted {
    pub traces: i64,
    pub spans: i64,
    pub ai_requests: i64,
}

#[derive(Row, Deserialize)]
pub struct Day {
    /// Since 1970.
    pub day: u16,
    pub traces: i64,
    pub spans: i64,
    pub tokens: i64,
    pub cost: i128,
}

#[derive(Row, Deserialize)]
struct Size {
    bytes: u64,
}

const SINCE: &str = "day >= toDate(?)";

/// Of a day and all later ones.
pub async fn since(tenant: &Tenant, day: &str) -> Result<Counted, Problem> {
    let columns = "sum(traces) AS traces, sum(spans) AS spans, sum(ai_requests) AS ai_requests";
    let query = tenant.select(columns, "usage_totals", SINCE, "").bind(day);
    query.fetch_one().await.map_err(down)
}

/// Those days that have any.
pub async fn by_day(tenant: &Tenant, since: &str) -> Result<Vec<Day>, Problem> {
    let columns = "day, sum(traces) AS traces, sum(spans) AS spans, sum(tokens) AS tokens, sum(cost) AS cost";
    let query = tenant.select(columns, "usage_totals", SINCE, "GROUP BY day").bind(since);
    query.fetch_all().await.map_err(down)
}

/// Of all payloads.
pub async fn stored_bytes(tenant: &Tenant) -> Result<u64, Problem> {
    let mut bytes = 0;
    for table in ["cells", "chunks"] {
        let found: Size = tenant.any("sum(size) AS bytes", table).fetch_one().await.map_err(down)?;
        bytes += found.bytes;
    }
    Ok(bytes)
}
