//! The samples: ended traces by day, as histograms; and their exact sums by window.

use std::collections::BTreeMap;

use clickhouse::Row;
use insights::drift::Errors;
use insights::histogram::Histogram;
use runtime::Problem;
use serde::Deserialize;

use super::windows::Asked;
use crate::stores::{Tenant, down};

/// Stands for a value that a trace has not.
const NO_BUCKET: u16 = u16::MAX;

/// One day's traces.
#[derive(Clone, Default)]
pub struct Day {
    pub tokens: Histogram,
    pub cost: Histogram,
    pub duration: Histogram,
    pub errors: Errors,
}

/// Exact sums over one window.
#[derive(Clone, Copy, Default)]
pub struct Sums {
    pub traces: u64,
    pub failed: u64,
    pub tokens: i64,
    pub cost: i128,
    /// Traces that have a duration, and the sum of these.
    pub timed: u64,
    pub duration_us: i64,
}

#[derive(Default)]
pub struct Sample {
    /// By their place among the days asked for.
    pub days: Vec<Day>,
    pub baseline: Sums,
    pub current: Sums,
}

#[derive(Default)]
pub struct Samples {
    pub all: Sample,
    /// The largest groups, most traces first; and the sums of every group.
    pub groups: Vec<(String, Sample)>,
    pub sums: BTreeMap<String, (Sums, Sums)>,
}

#[derive(Row, Deserialize)]
struct SumsRow {
    grouped: String,
    current: u8,
    traces: u64,
    failed: u64,
    tokens: i64,
    cost: i128,
    timed: u64,
    duration_us: i64,
}

#[derive(Row, Deserialize)]
struct CountRow {
    grouped: String,
    day: i64,
    metric: u8,
    bucket: u16,
    count: u64,
}

pub async fn read(tenant: &Tenant, asked: &Asked) -> Result<Samples, Problem> {
    let sums = sums(tenant, asked).await?;
    let mut samples = Samples::default();
    for (baseline, current) in sums.values() {
        samples.all.baseline.add(*baseline);
        samples.all.current.add(*current);
    }
    samples.all.days = counts(tenant, asked, None).await?.remove("").unwrap_or_default();
    if asked.by.is_some() {
        let mut largest: Vec<&String> = sums.keys().collect();
        largest.sort_by_key(|group| std::cmp::Reverse(sums[*group].0.traces + sums[*group].1.traces));
        let largest: Vec<String> = largest.into_iter().take(asked.limit as usize).cloned().collect();
        let mut days = counts(tenant, asked, Some(&largest)).await?;
        for group in largest {
            let (baseline, current) = sums[&group];
            let days = days.remove(&group).unwrap_or_default();
            samples.groups.push((group, Sample { days, baseline, current }));
        }
    }
    samples.sums = sums;
    Ok(samples)
}

fn condition(asked: &Asked) -> String {
    let time =
        |time: &jiff::ZonedDateTime| format!("fromUnixTimestamp64Micro({}, 'UTC')", time.timestamp().as_microsecond());
    format!(
        "started_at >= {} AND started_at < {} AND status != 'running'{}",
        time(&asked.baseline.0),
        time(&asked.current.1),
        asked.condition
    )
}

async fn sums(tenant: &Tenant, asked: &Asked) -> Result<BTreeMap<String, (Sums, Sums)>, Problem> {
    let grouped = asked.by.as_ref().map_or("''", |(_, expression)| expression);
    let timed = format!("duration_bucket != {NO_BUCKET}");
    let columns = format!(
        "{grouped} AS grouped, toUInt8(toUnixTimestamp(started_at) >= {}) AS current, count() AS traces, \
         countIf(status = 'failed') AS failed, sum(total_tokens) AS tokens, sum(total_cost) AS cost, \
         countIf({timed}) AS timed, sumIf(total_duration_us, {timed}) AS duration_us",
        asked.current.0.timestamp().as_second()
    );
    let query = tenant.scan(&columns, "trace_list", &condition(asked), "GROUP BY grouped, current");
    let query = asked.values.iter().fold(query, |query, value| query.bind(value));
    let rows: Vec<SumsRow> = query.fetch_all().await.map_err(down)?;
    let mut sums: BTreeMap<String, (Sums, Sums)> = BTreeMap::new();
    for row in rows {
        let SumsRow { traces, failed, tokens, cost, timed, duration_us, .. } = row;
        let windows = sums.entry(row.grouped).or_default();
        let window = if row.current == 1 { &mut windows.1 } else { &mut windows.0 };
        *window = Sums { traces, failed, tokens, cost, timed, duration_us };
    }
    Ok(sums)
}

/// The days of all traces under the empty text, or those of some groups.
async fn counts(
    tenant: &Tenant,
    asked: &Asked,
    groups: Option<&[String]>,
) -> Result<BTreeMap<String, Vec<Day>>, Problem> {
    let starts: Vec<i64> = asked.days.iter().map(|day| day.timestamp().as_second()).collect();
    let listed = starts.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
    let expression = asked.by.as_ref().filter(|_| groups.is_some()).map_or("''", |(_, expression)| expression);
    let columns = format!(
        "{expression} AS grouped, toInt64(roundDown(toInt64(toUnixTimestamp(started_at)), [{listed}])) AS day, \
         toUInt8((arrayJoin([(0, tokens_bucket), (1, cost_bucket), (2, duration_bucket), (3, toUInt16(status = 'failed'))]) \
         AS value).1) AS metric, value.2 AS bucket, count() AS count"
    );
    let mut condition = condition(asked);
    if groups.is_some() {
        condition.push_str(&format!(" AND {expression} IN ?"));
    }
    let query = tenant.scan(&columns, "trace_list", &condition, "GROUP BY grouped, day, value");
    let query = asked.values.iter().fold(query, |query, value| query.bind(value));
    let query = groups.iter().fold(query, |query, groups| query.bind(groups));
    let rows: Vec<CountRow> = query.fetch_all().await.map_err(down)?;
    let mut found: BTreeMap<String, Vec<Day>> = BTreeMap::new();
    for row in rows {
        let Ok(place) = starts.binary_search(&row.day) else { continue };
        let days = found.entry(row.grouped).or_insert_with(|| vec![Day::default(); starts.len()]);
        days[place].count(row.metric, row.bucket, row.count);
    }
    Ok(found)
}

impl Day {
    fn count(&mut self, metric: u8, bucket: u16, count: u64) {
        let histogram = match metric {
            0 => &mut self.tokens,
            1 => &mut self.cost,
            2 if bucket == NO_BUCKET => return,
            2 => &mut self.duration,
            _ => {
                let errors = &mut self.errors;
                *(if bucket == 1 { &mut errors.failed } else { &mut errors.succeeded }) += count;
                return;
            }
        };
        histogram.add(bucket, count as i64);
    }
}

impl Sums {
    fn add(&mut self, other: Sums) {
        self.traces += other.traces;
        self.failed += other.failed;
        self.tokens += other.tokens;
        self.cost += other.cost;
        self.timed += other.timed;
        self.duration_us += other.duration_us;
    }
}
