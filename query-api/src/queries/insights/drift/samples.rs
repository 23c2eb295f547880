//! The samples: ended traces by day; and their exact sums by window.

use std::collections::BTreeMap;

use clickhouse::Row;
use runtime::Problem;
use serde::Deserialize;

use super::super::ended::{Ended, Metric, NO_BUCKET, Range, in_ranges};
use super::windows::Asked;
use crate::stores::{Tenant, down};
use crate::times::moment;

const METRICS: [Metric; 3] = [Metric::Tokens, Metric::Cost, Metric::Duration];

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
    pub days: Vec<Ended>,
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

pub async fn read(tenant: &Tenant, asked: &Asked) -> Result<Samples, Problem> {
    let sums = sums(tenant, asked).await?;
    let mut samples = Samples::default();
    for (baseline, current) in sums.values() {
        samples.all.baseline.add(*baseline);
        samples.all.current.add(*current);
    }
    let days: Vec<Range> = days(asked);
    samples.all.days = in_ranges(tenant, &asked.filters, &days, &METRICS, None).await?.remove("").unwrap_or_default();
    if let Some((_, expression)) = &asked.by {
        let mut largest: Vec<&String> = sums.keys().collect();
        largest.sort_by_key(|group| std::cmp::Reverse(sums[*group].0.traces + sums[*group].1.traces));
        let largest: Vec<String> = largest.into_iter().take(asked.limit as usize).cloned().collect();
        let mut days = in_ranges(tenant, &asked.filters, &days, &METRICS, Some((expression, &largest))).await?;
        for group in largest {
            let (baseline, current) = sums[&group];
            let days = days.remove(&group).unwrap_or_default();
            samples.groups.push((group, Sample { days, baseline, current }));
        }
    }
    samples.sums = sums;
    Ok(samples)
}

fn days(asked: &Asked) -> Vec<Range> {
    let starts = asked.days.iter().chain([&asked.current.1]).map(|day| day.timestamp().as_second());
    let starts: Vec<i64> = starts.collect();
    starts.windows(2).map(|pair| Range { from: pair[0], to: pair[1] }).collect()
}

fn condition(asked: &Asked) -> String {
    let [from, to] = [&asked.baseline.0, &asked.current.1].map(|time| moment(time.timestamp().as_microsecond()));
    asked.filters.and(&format!("started_at >= {from} AND started_at < {to} AND status != 'running'"))
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
    let rows: Vec<SumsRow> = asked.filters.bind(query).fetch_all().await.map_err(down)?;
    let mut sums: BTreeMap<String, (Sums, Sums)> = BTreeMap::new();
    for row in rows {
        let SumsRow { traces, failed, tokens, cost, timed, duration_us, .. } = row;
        let windows = sums.entry(row.grouped).or_default();
        let window = if row.current == 1 { &mut windows.1 } else { &mut windows.0 };
        *window = Sums { traces, failed, tokens, cost, timed, duration_us };
    }
    Ok(sums)
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
