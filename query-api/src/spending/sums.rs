//! Sums over the rows that a period is answered from.

use std::collections::HashMap;

use clickhouse::Row;
use runtime::Problem;
use serde::Deserialize;

use super::filters::Filters;
use super::source::{Group, scans};
use crate::period::{Intervals, Period};
use crate::stores::{Tenant, down};

const SUMS: &str = "sum(traces) AS traces, sum(uses) AS uses, sum(calls) AS calls, \
                    sum(unpriced_calls) AS unpriced_calls, sum(input_tokens) AS input_tokens, \
                    sum(output_tokens) AS output_tokens, sum(cache_read_tokens) AS cache_read_tokens, \
                    sum(cache_write_tokens) AS cache_write_tokens, sum(reasoning_tokens) AS reasoning_tokens, \
                    sum(tokens) AS tokens, sum(timed_calls) AS timed_calls, sum(duration_us) AS duration_us, \
                    sum(cost) AS cost";

#[derive(Clone, Copy, Default)]
pub struct Sums {
    pub traces: i64,
    /// Of a model: traces that used it.
    pub uses: i64,
    pub calls: i64,
    pub unpriced_calls: i64,
    pub input_tokens: i64,
    pub output_tokens: i64,
    pub cache_read_tokens: i64,
    pub cache_write_tokens: i64,
    pub reasoning_tokens: i64,
    pub tokens: i64,
    /// Calls whose duration is known, and how long they took together.
    pub timed_calls: i64,
    pub duration_us: i64,
    pub cost: i128,
}

/// The sums of one interval or group, as every query here answers them.
#[derive(Clone, Row, Deserialize)]
pub struct Line {
    pub key: String,
    /// How many keys there are, whatever the limit.
    pub keys: u64,
    traces: i64,
    uses: i64,
    calls: i64,
    unpriced_calls: i64,
    input_tokens: i64,
    output_tokens: i64,
    cache_read_tokens: i64,
    cache_write_tokens: i64,
    reasoning_tokens: i64,
    tokens: i64,
    timed_calls: i64,
    duration_us: i64,
    cost: i128,
}

/// Which groups come first, and so are within the limit.
#[derive(Clone, Copy)]
pub enum Order {
    Dearest,
    Unpriced,
}

impl Line {
    pub fn sums(&self) -> Sums {
        Sums {
            traces: self.traces,
            uses: self.uses,
            calls: self.calls,
            unpriced_calls: self.unpriced_calls,
            input_tokens: self.input_tokens,
            output_tokens: self.output_tokens,
            cache_read_tokens: self.cache_read_tokens,
            cache_write_tokens: self.cache_write_tokens,
            reasoning_tokens: self.reasoning_tokens,
            tokens: self.tokens,
            timed_calls: self.timed_calls,
            duration_us: self.duration_us,
            cost: self.cost,
        }
    }
}

impl Sums {
    pub fn plus(self, other: Sums) -> Sums {
        self.combined(other, 1)
    }

    pub fn minus(self, other: Sums) -> Sums {
        self.combined(other, -1)
    }

    fn combined(self, other: Sums, sign: i64) -> Sums {
        Sums {
            traces: self.traces + sign * other.traces,
            uses: self.uses + sign * other.uses,
            calls: self.calls + sign * other.calls,
            unpriced_calls: self.unpriced_calls + sign * other.unpriced_calls,
            input_tokens: self.input_tokens + sign * other.input_tokens,
            output_tokens: self.output_tokens + sign * other.output_tokens,
            cache_read_tokens: self.cache_read_tokens + sign * other.cache_read_tokens,
            cache_write_tokens: self.cache_write_tokens + sign * other.cache_write_tokens,
            reasoning_tokens: self.reasoning_tokens + sign * other.reasoning_tokens,
            timed_calls: self.timed_calls + sign * other.timed_calls,
            duration_us: self.duration_us + sign * other.duration_us,
            tokens: self.tokens + sign * other.tokens,
            cost: self.cost + i128::from(sign) * other.cost,
        }
    }
}

impl Order {
    fn sql(self) -> &'static str {
        match self {
            Order::Dearest => "cost DESC, key",
            Order::Unpriced => "unpriced_calls DESC, cost DESC, key",
        }
    }
}

/// The sums of each interval, in their order.
pub async fn by_time(
    tenant: &Tenant,
    period: &Period,
    filters: &Filters,
    intervals: &Intervals,
) -> Result<Vec<Sums>, Problem> {
    let starts: Vec<i64> = intervals.starts.iter().map(|start| start.timestamp().as_second()).collect();
    // What lies before the first cut begins with the first interval.
    let cuts = intervals.starts.get(1..).unwrap_or_default();
    let listed = starts.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
    let columns = format!("toString(roundDown(second, [{listed}])) AS key, toUInt64(0) AS keys, {SUMS}");
    let scans = scans(period, filters, Group::Environment, cuts);
    let query = tenant.scan_all(&columns, &scans, "GROUP BY key").bind(&filters.values);
    let lines: Vec<Line> = query.fetch_all().await.map_err(down)?;
    let found: HashMap<&str, Sums> = lines.iter().map(|line| (line.key.as_str(), line.sums())).collect();
    Ok(starts.iter().map(|start| found.get(start.to_string().as_str()).copied().unwrap_or_default()).collect())
}

pub async fn by_group(
    tenant: &Tenant,
    period: &Period,
    filters: &Filters,
    group: Group,
    order: Order,
    limit: u64,
) -> Result<Vec<Line>, Problem> {
    let columns = format!("grouped AS key, count() OVER () AS keys, {SUMS}");
    let scans = scans(period, filters, group, &[]);
    // Totals whose traces have all gone are rows of zeros.
    let rest = format!("GROUP BY key HAVING uses != 0 ORDER BY {} LIMIT {limit}", order.sql());
    tenant.scan_all(&columns, &scans, &rest).bind(&filters.values).fetch_all().await.map_err(down)
}

pub async fn total(tenant: &Tenant, period: &Period, filters: &Filters) -> Result<Sums, Problem> {
    let scans = scans(period, filters, Group::Environment, &[]);
    let columns = format!("'' AS key, toUInt64(0) AS keys, {SUMS}");
    let line: Line = tenant.scan_all(&columns, &scans, "").bind(&filters.values).fetch_one().await.map_err(down)?;
    Ok(line.sums())
}
