//! Ended traces by ranges of time, as histograms. Running ones are no part of any sample.

use std::collections::BTreeMap;

use clickhouse::Row;
use insights::drift::Errors;
use insights::histogram::Histogram;
use runtime::Problem;
use serde::Deserialize;

use crate::stores::{Tenant, down};
use crate::times::moment;
use crate::trace_filters::Filters;

/// Stands for a value that a trace has not.
pub const NO_BUCKET: u16 = u16::MAX;

/// Seconds since 1970; `to` is not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Range {
    pub from: i64,
    pub to: i64,
}

/// The ended traces that started in a range.
#[derive(Clone, Default)]
pub struct Ended {
    pub tokens: Histogram,
    pub cost: Histogram,
    pub duration: Histogram,
    pub errors: Errors,
}

#[derive(Row, Deserialize)]
struct CountRow {
    grouped: String,
    start: i64,
    metric: u8,
    bucket: u16,
    count: u64,
}

/// What is read of each trace; whether it failed always is.
#[derive(Clone, Copy)]
pub enum Metric {
    Tokens,
    Cost,
    Duration,
}

const FAILED: u8 = 3;

/// By the ranges' places, which are in the order of time and do not overlap: of all traces under the empty text, or of
/// some groups by an expression.
pub async fn in_ranges(
    tenant: &Tenant,
    filters: &Filters,
    ranges: &[Range],
    metrics: &[Metric],
    groups: Option<(&str, &[String])>,
) -> Result<BTreeMap<String, Vec<Ended>>, Problem> {
    let starts: Vec<i64> = ranges.iter().map(|range| range.from).collect();
    let listed = starts.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
    let expression = groups.map_or("''", |(expression, _)| expression);
    let values: String = metrics.iter().map(|metric| format!("({}, {}), ", *metric as u8, metric.column())).collect();
    let columns = format!(
        "{expression} AS grouped, toInt64(roundDown(toInt64(toUnixTimestamp(started_at)), [{listed}])) AS start, \
         toUInt8((arrayJoin([{values}({FAILED}, toUInt16(status = 'failed'))]) AS value).1) AS metric, value.2 AS bucket, count() AS count"
    );
    let mut condition = filters.and(&format!("status != 'running' AND {}", within(ranges)));
    if groups.is_some() {
        condition.push_str(&format!(" AND {expression} IN ?"));
    }
    let query = filters.bind(tenant.scan(&columns, "trace_list", &condition, "GROUP BY grouped, start, value"));
    let query = groups.iter().fold(query, |query, (_, groups)| query.bind(groups));
    let rows: Vec<CountRow> = query.fetch_all().await.map_err(down)?;
    let mut found: BTreeMap<String, Vec<Ended>> = BTreeMap::new();
    for row in rows {
        let Ok(place) = starts.binary_search(&row.start) else { continue };
        let ended = found.entry(row.grouped).or_insert_with(|| vec![Ended::default(); starts.len()]);
        ended[place].count(row.metric, row.bucket, row.count);
    }
    Ok(found)
}

/// That a trace started in one of the ranges; those that follow each other are one.
pub fn within(ranges: &[Range]) -> String {
    let mut joined: Vec<Range> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if last.to == range.from => last.to = range.to,
            _ => joined.push(*range),
        }
    }
    let between = |range: &Range| {
        let [from, to] = [range.from, range.to].map(|seconds| moment(seconds.saturating_mul(1_000_000)));
        format!("(started_at >= {from} AND started_at < {to})")
    };
    let conditions: Vec<String> = joined.iter().map(between).collect();
    if conditions.is_empty() { "false".to_owned() } else { format!("({})", conditions.join(" OR ")) }
}

impl Metric {
    fn column(self) -> &'static str {
        match self {
            Metric::Tokens => "tokens_bucket",
            Metric::Cost => "cost_bucket",
            Metric::Duration => "duration_bucket",
        }
    }
}

impl Ended {
    pub fn merge(&mut self, other: &Ended) {
        self.tokens.merge(&other.tokens);
        self.cost.merge(&other.cost);
        self.duration.merge(&other.duration);
        self.errors.failed += other.errors.failed;
        self.errors.succeeded += other.errors.succeeded;
    }

    fn count(&mut self, metric: u8, bucket: u16, count: u64) {
        if metric == FAILED {
            let errors = &mut self.errors;
            *(if bucket == 1 { &mut errors.failed } else { &mut errors.succeeded }) += count;
        } else if bucket != NO_BUCKET {
            let histogram = match metric {
                metric if metric == Metric::Tokens as u8 => &mut self.tokens,
                metric if metric == Metric::Cost as u8 => &mut self.cost,
                _ => &mut self.duration,
            };
            histogram.add(bucket, count as i64);
        }
    }
}
