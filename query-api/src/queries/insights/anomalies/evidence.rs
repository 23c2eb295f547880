//! What an anomaly rests on: the name that contributes most, and traces to look at.

use std::collections::BTreeMap;

use clickhouse::Row;
use insights::anomalies::{Kind, Need};
use runtime::Problem;
use serde::Deserialize;

use super::super::ended::{NO_BUCKET, Range, within};
use crate::stores::{Tenant, down};
use crate::times::moment;
use crate::trace_filters::Filters;

const EXAMPLES: u64 = 3;
/// Of more names those with the most traces in the window are looked at.
const MOST_NAMES: u64 = 1_000;

#[derive(Clone, Default)]
pub struct Evidence {
    pub worst_name: Option<String>,
    pub examples: Vec<String>,
}

/// Sums of a name's traces in the window, and in those before.
#[derive(Row, Deserialize)]
struct OfName {
    named: String,
    traces: (u64, u64),
    failed: (u64, u64),
    cost: (f64, f64),
    timed: (u64, u64),
    duration: (f64, f64),
}

/// `ranges` are those of the baseline and, last, the current one.
pub async fn read(
    tenant: &Tenant,
    filters: &Filters,
    ranges: &[Range],
    found: &[Kind],
) -> Result<BTreeMap<Kind, Evidence>, Problem> {
    let mut evidence = BTreeMap::new();
    let Some((current, _)) = ranges.split_last().filter(|_| !found.is_empty()) else { return Ok(evidence) };
    let names = names(tenant, filters, ranges, *current).await?;
    for kind in found {
        let worst = names.iter().max_by(|a, b| a.excess(*kind, ranges).total_cmp(&b.excess(*kind, ranges)));
        let worst_name = worst.map(|name| name.named.clone()).filter(|name| !name.is_empty());
        let examples = examples(tenant, filters, *current, *kind).await?;
        evidence.insert(*kind, Evidence { worst_name, examples });
    }
    Ok(evidence)
}

async fn names(tenant: &Tenant, filters: &Filters, ranges: &[Range], current: Range) -> Result<Vec<OfName>, Problem> {
    let now = format!("started_at >= {}", moment(current.from.saturating_mul(1_000_000)));
    let both = |sum: &str, value: &str, condition: &str| {
        format!("({sum}({value}{now} AND {condition}), {sum}({value}NOT ({now}) AND {condition}))")
    };
    let timed = format!("duration_bucket != {NO_BUCKET}");
    let columns = format!(
        "toString(name) AS named, {} AS traces, {} AS failed, {} AS cost, {} AS timed, {} AS duration",
        both("countIf", "", "true"),
        both("countIf", "", "status = 'failed'"),
        both("sumIf", "toFloat64(total_cost), ", "true"),
        both("countIf", "", &timed),
        both("sumIf", "toFloat64(total_duration_us), ", &timed),
    );
    let condition = filters.and(&format!("status != 'running' AND {}", within(ranges)));
    let rest = format!("GROUP BY named ORDER BY traces DESC, named LIMIT {MOST_NAMES}");
    filters.bind(tenant.scan(&columns, "trace_list", &condition, &rest)).fetch_all().await.map_err(down)
}

impl OfName {
    /// What it has in the window beyond what the baseline's mean makes expected; of volume, what is missing.
    fn excess(&self, kind: Kind, ranges: &[Range]) -> f64 {
        let beyond = |(now, before): (f64, f64), counts: (u64, u64)| {
            let mean = if counts.1 > 0 { before / counts.1 as f64 } else { 0.0 };
            now - mean * counts.0 as f64
        };
        match kind {
            Kind::CostSpike => beyond(self.cost, self.traces),
            Kind::LatencySpike => beyond(self.duration, self.timed),
            Kind::ErrorSpike => beyond((self.failed.0 as f64, self.failed.1 as f64), self.traces),
            Kind::VolumeDrop => {
                let windows = ranges.len().saturating_sub(1).max(1) as f64;
                self.traces.1 as f64 / windows - self.traces.0 as f64
            }
        }
    }
}

async fn examples(tenant: &Tenant, filters: &Filters, current: Range, kind: Kind) -> Result<Vec<String>, Problem> {
    let (condition, order) = match kind {
        Kind::CostSpike => ("status != 'running'", "total_cost DESC"),
        Kind::LatencySpike => ("status != 'running'", "total_duration_us DESC"),
        Kind::ErrorSpike => ("status = 'failed'", "started_at DESC"),
        Kind::VolumeDrop => return Ok(Vec::new()),
    };
    let condition = filters.and(&format!("{condition} AND {}", within(&[current])));
    let rest = format!("ORDER BY {order}, trace_id LIMIT {EXAMPLES}");
    filters.bind(tenant.scan("trace_id", "trace_list", &condition, &rest)).fetch_all().await.map_err(down)
}

pub fn need(need: Need) -> &'static str {
    match need {
        Need::BaselineWindows => "baseline_windows",
        Need::BaselineTraces => "baseline_traces",
        Need::CurrentTraces => "current_traces",
        Need::ExtremeP => "extreme_p",
    }
}
