//! The newest traces of two names beside one of the first that stands for it.

use std::collections::HashMap;

use clickhouse::Row;
use insights::diff::{Added, Counts, Groups, Run, Step, compare_groups};
use runtime::Problem;
use serde::Deserialize;

use super::documents::{DiffGroup, GroupAdded, GroupDiff, GroupStep, Shares};
use super::read::said;
use crate::heads::Heads;
use crate::params::Params;
use crate::period::Period;
use crate::stores::{Tenant, down};
use crate::trace_filters::Filters;

/// Of a trace's steps the first so many are compared.
const MOST_STEPS: u64 = 1_000;
/// Enough of a text to say how alike two are.
const HEAD: u32 = 500;
const MOST_ADDED: usize = 200;

pub struct Asked {
    names: [String; 2],
    period: Period,
    filters: Filters,
    traces: u64,
}

#[derive(Row, Deserialize)]
struct StepRow {
    trace_id: String,
    span_id: String,
    parent_id: Option<String>,
    span_type: String,
    name: String,
    model: Option<String>,
}

/// Traces, the newest first, with their steps.
struct Group {
    ids: Vec<String>,
    runs: Vec<Run>,
}

impl Asked {
    pub fn read(params: &mut Params, a: String, b: String) -> Asked {
        let period = Period::read(params);
        Asked { names: [a, b], period, filters: Filters::in_common(params), traces: params.whole("traces") }
    }
}

pub async fn between(tenant: &Tenant, asked: Asked) -> Result<GroupDiff, Problem> {
    let [name_a, name_b] = &asked.names;
    let (a, b) = tokio::try_join!(read(tenant, &asked, name_a), read(tenant, &asked, name_b))?;
    let compared = tokio::task::spawn_blocking(move || {
        let (a, b) = (a.prepare(), b.prepare());
        let groups = compare_groups(&a.runs, &b.runs);
        (a, b, groups)
    });
    let (a, b, groups) = compared.await.map_err(Problem::internal)?;
    Ok(answer(asked.names, a, b, groups))
}

/// Traces with rows that are not looked at yet.
struct Rows {
    ids: Vec<String>,
    spans: Vec<StepRow>,
    heads: Heads,
}

async fn read(tenant: &Tenant, asked: &Asked, name: &str) -> Result<Rows, Problem> {
    let condition = format!("name = ? AND status != 'running' AND {}", asked.period.contains());
    let rest = format!("ORDER BY started_at DESC, trace_id DESC LIMIT {}", asked.traces);
    let query = tenant.scan("trace_id", "trace_list", &asked.filters.and(&condition), &rest).bind(name);
    let ids: Vec<String> = asked.filters.bind(query).fetch_all().await.map_err(down)?;
    if ids.is_empty() {
        return Ok(Rows { ids, spans: Vec::new(), heads: Heads::read(tenant, &[], HEAD, 0).await? });
    }
    let order = "ORDER BY trace_id, ifNull(started_at, toDateTime64('2299-12-31 00:00:00', 6, 'UTC')), span_id";
    let rest = format!("{order} LIMIT {MOST_STEPS} BY trace_id");
    let spans = tenant.select("?fields", "spans", "trace_id IN ?", &rest).bind(&ids).fetch_all();
    let heads = Heads::read(tenant, &ids, HEAD, 3 * MOST_STEPS * asked.traces);
    let (spans, heads) = tokio::try_join!(async { spans.await.map_err(down) }, heads)?;
    Ok(Rows { ids, spans, heads })
}

impl Rows {
    /// Hashes texts: no work for a thread that has others to serve.
    fn prepare(mut self) -> Group {
        let mut steps: HashMap<String, Vec<Step>> = HashMap::new();
        for row in self.spans {
            let [input, output, error] = said(&mut self.heads, &row.trace_id, &row.span_id);
            let StepRow { trace_id, span_id: id, parent_id, span_type, name, model } = row;
            let step = Step { id, parent_id, span_type, name, model, input, output, error };
            steps.entry(trace_id).or_default().push(step);
        }
        let runs = self.ids.iter().map(|id| Run::new(steps.remove(id).unwrap_or_default())).collect();
        Group { ids: self.ids, runs }
    }
}

fn answer([name_a, name_b]: [String; 2], a: Group, b: Group, groups: Option<Groups>) -> GroupDiff {
    let Some(Groups { representative, steps, mut added, runs }) = groups else {
        let of = |name, group: Group| DiffGroup { name, traces: group.ids, compared: 0 };
        return GroupDiff {
            a: of(name_a, a),
            b: of(name_b, b),
            representative: None,
            steps: Vec::new(),
            added: Vec::new(),
            added_left_out: 0,
        };
    };
    added.sort_by_key(|added| std::cmp::Reverse((added.b, added.a)));
    let added_left_out = added.len().saturating_sub(MOST_ADDED) as u64;
    let itself = a.runs[representative].steps().iter().zip(steps).enumerate();
    let steps = itself.map(|(index, (step, rates))| GroupStep {
        index: index as u64,
        span_id: step.id.clone(),
        parent_id: step.parent_id.clone(),
        span_type: step.span_type.clone(),
        name: step.name.clone(),
        a: shares(rates.a, runs.0),
        b: shares(rates.b, runs.1),
    });
    let steps = steps.collect();
    let of_added = |Added { after, span_type, name, a: in_a, b: in_b, example: (is_second, trace, step) }: Added| {
        let group = if is_second { &b } else { &a };
        GroupAdded {
            after_index: after.map(|index| index as u64),
            span_type,
            name,
            a: share(in_a, runs.0),
            b: share(in_b, runs.1),
            trace_id: group.ids[trace].clone(),
            span_id: group.runs[trace].steps()[step].id.clone(),
        }
    };
    let added = added.into_iter().take(MOST_ADDED).map(of_added).collect();
    GroupDiff {
        representative: Some(a.ids[representative].clone()),
        steps,
        added,
        added_left_out,
        a: DiffGroup { name: name_a, traces: a.ids, compared: runs.0 as u64 },
        b: DiffGroup { name: name_b, traces: b.ids, compared: runs.1 as u64 },
    }
}

fn shares(counts: Counts, of: usize) -> Option<Shares> {
    Some(Shares {
        present: share(counts.present, of)?,
        changed: share(counts.changed, of)?,
        moved: share(counts.moved, of)?,
        removed: share(counts.removed, of)?,
    })
}

fn share(count: usize, of: usize) -> Option<f64> {
    (of > 0).then(|| count as f64 / of as f64)
}
