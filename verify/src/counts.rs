//! Tables of totals against the fold: sums over the visible traces per bucket and partition.
//!
//! A row holds the totals of its bucket up to its version, and nothing before the projection's checkpoint is missing in
//! it; so what is expected is the sum over all traces as they were at the later of the two offsets, which is exact while
//! the projection goes on. The rows stay in memory while the slices of the log pass by: at worst, of thin traffic, the cost
//! totals are about as many as the traces.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use clickhouse::Client;
use schemas::topics;

use crate::fold::Fold;
use crate::log::Ends;
use crate::rows::{CostTotalRow, CountRow, Keyed, PromptUseRow, UsageRow, newest, offset_of};
use crate::usage::usage_of;
use crate::verify::Report;
use crate::view::{Texts, TraceView};

const DAY_US: i64 = 86_400_000_000;

/// The key's columns but the partition, and the partition.
type Bucket = (String, u16);
type Totals = Vec<i128>;

/// A row of totals, and what a trace adds to them.
pub trait Totalled: Keyed {
    const FIELDS: &'static [&'static str];
    /// Whether erased content may have had a part in it.
    const NEEDS_CONTENT: bool;
    fn bucket(&self) -> Bucket;
    fn totals(&self) -> Totals;
    /// The buckets, but for the partition, in which a trace counts as it was at an offset, and for how much.
    fn shares(fold: &Fold, texts: Texts, tenant: &str, trace_id: &str, upto: i64) -> Vec<(String, Totals)>;
}

pub struct Counts<R> {
    next: Ends,
    /// The newest rows of each bucket, and their offset.
    rows: BTreeMap<Bucket, (i64, Vec<Totals>)>,
    expected: BTreeMap<Bucket, Totals>,
    /// The last offset of any row of a partition.
    last: Ends,
    /// Up to where a partition's totals cannot be computed, since content of a trace deleted there is erased.
    lost: Ends,
    of: PhantomData<R>,
}

impl<R: Totalled> Counts<R> {
    /// `next`: the projection's checkpoints, read before.
    pub async fn read(client: &Client, generation: &str, next: Ends, report: &mut Report) -> anyhow::Result<Counts<R>> {
        let mut counts = Counts {
            next,
            rows: BTreeMap::new(),
            expected: BTreeMap::new(),
            last: Ends::new(),
            lost: Ends::new(),
            of: PhantomData,
        };
        newest(client, generation, |row: R| {
            let Some(offset) = offset_of(row.version()) else {
                report.difference(format!("{} {}: version {} is of another epoch", R::TABLE, row.key(), row.version()));
                return;
            };
            let bucket = row.bucket();
            let last = counts.last.entry(bucket.1.into()).or_insert(offset);
            *last = offset.max(*last);
            let held = counts.rows.entry(bucket).or_insert((offset, Vec::new()));
            held.0 = offset;
            held.1.push(row.totals());
        })
        .await?;
        Ok(counts)
    }

    fn read_upto(&self, partition: i32) -> i64 {
        self.next.get(&partition).copied().unwrap_or(0) - 1
    }

    /// Up to which offset a bucket is summed.
    fn upto(&self, bucket: &Bucket) -> i64 {
        let read_upto = self.read_upto(bucket.1.into());
        self.rows.get(bucket).map_or(read_upto, |(offset, _)| read_upto.max(*offset))
    }

    /// Adds the traces of a fold that was read after the rows.
    pub fn add(&mut self, fold: &Fold, texts: Texts, partitions: i32) {
        for (tenant, trace_id) in fold.traces() {
            let partition = topics::trace_partition(tenant, trace_id, partitions);
            let read_upto = self.read_upto(partition);
            let last = self.last.get(&partition).copied().unwrap_or(-1);
            let deleted_at = fold.deleted_at(tenant, trace_id).unwrap_or(i64::MAX);
            if R::NEEDS_CONTENT && deleted_at > read_upto && fold.is_past_lost(tenant, trace_id) {
                let lost = self.lost.entry(partition).or_insert(deleted_at);
                *lost = deleted_at.max(*lost);
            }
            let shares = |offset| R::shares(fold, texts, tenant, trace_id, offset);
            let mut before = shares(read_upto);
            self.move_shares(partition, read_upto, &[], &before);
            for offset in fold.offsets(tenant, trace_id).filter(|offset| *offset > read_upto && *offset <= last) {
                let after = shares(offset);
                self.move_shares(partition, offset, &before, &after);
                before = after;
            }
        }
    }

    fn move_shares(&mut self, partition: i32, offset: i64, from: &[(String, Totals)], to: &[(String, Totals)]) {
        for (sign, shares) in [(-1, from), (1, to)] {
            for (bucket, values) in shares {
                let bucket = (bucket.clone(), partition as u16);
                if offset <= self.upto(&bucket) {
                    let totals = self.expected.entry(bucket).or_insert_with(|| vec![0; R::FIELDS.len()]);
                    for (total, value) in totals.iter_mut().zip(values) {
                        *total += sign * value;
                    }
                }
            }
        }
    }

    /// After the last slice.
    pub fn compare(&self, report: &mut Report) {
        let none = vec![0; R::FIELDS.len()];
        let missing = self.expected.keys().filter(|bucket| !self.rows.contains_key(bucket));
        for bucket in self.rows.keys().chain(missing) {
            if self.lost.get(&bucket.1.into()).is_some_and(|lost| *lost > self.upto(bucket)) {
                report.skip(R::TABLE);
                continue;
            }
            let expected = self.expected.get(bucket).unwrap_or(&none);
            // No row means zero.
            let found = self.rows.get(bucket).map_or_else(|| vec![none.clone()], |(_, rows)| rows.clone());
            for found in found {
                report.compared(R::TABLE);
                for ((field, expected), found) in R::FIELDS.iter().zip(expected).zip(&found) {
                    report.field(R::TABLE, &format!("{bucket:?}"), field, expected, found);
                }
            }
        }
    }
}

/// Where a trace is counted by its fields that have few values.
fn project_and_environment(view: &TraceView) -> (&str, &str) {
    (view.project_id.as_deref().unwrap_or(""), view.environment.as_deref().unwrap_or(""))
}

impl Totalled for UsageRow {
    const FIELDS: &'static [&'static str] = &["traces", "spans", "tokens", "cost", "ai_requests"];
    const NEEDS_CONTENT: bool = false;

    fn bucket(&self) -> Bucket {
        (format!("{:?}", (&self.tenant, self.day)), self.partition)
    }

    fn totals(&self) -> Totals {
        let counts = [self.traces, self.spans, self.tokens].into_iter().map(i128::from);
        counts.chain([self.cost, self.ai_requests.into()]).collect()
    }

    fn shares(fold: &Fold, _: Texts, tenant: &str, trace_id: &str, upto: i64) -> Vec<(String, Totals)> {
        let days = usage_of(fold, tenant, trace_id, Some(upto));
        days.into_iter().map(|(day, used)| (format!("{:?}", (tenant, day)), used.totals())).collect()
    }
}

impl Totalled for PromptUseRow {
    const FIELDS: &'static [&'static str] = &["calls", "failed", "tokens", "cost"];
    const NEEDS_CONTENT: bool = true;

    fn bucket(&self) -> Bucket {
        (format!("{:?}", (&self.tenant, self.prompt, self.prompt_version)), self.partition)
    }

    fn totals(&self) -> Totals {
        [self.calls, self.failed, self.tokens].into_iter().map(i128::from).chain([self.cost]).collect()
    }

    fn shares(fold: &Fold, texts: Texts, tenant: &str, trace_id: &str, upto: i64) -> Vec<(String, Totals)> {
        let state = fold.trace_at(tenant, trace_id, Some(upto));
        let uses = state.visible().map(|view| view.prompt_uses(texts)).unwrap_or_default();
        let bucket = |(prompt, version)| format!("{:?}", (tenant, prompt, version));
        uses.into_iter().map(|(named, used)| (bucket(named), used.totals())).collect()
    }
}

impl Totalled for CountRow {
    const FIELDS: &'static [&'static str] = &["traces", "spans", "tokens", "cost"];
    const NEEDS_CONTENT: bool = true;

    fn bucket(&self) -> Bucket {
        let key = (&self.tenant, self.day, &self.project_id, &self.environment, &self.status);
        (format!("{key:?}"), self.partition)
    }

    fn totals(&self) -> Totals {
        vec![self.traces.into(), self.spans.into(), self.tokens.into(), self.cost]
    }

    fn shares(fold: &Fold, _: Texts, tenant: &str, trace_id: &str, upto: i64) -> Vec<(String, Totals)> {
        let state = fold.trace_at(tenant, trace_id, Some(upto));
        let Some(view) = state.visible() else { return Vec::new() };
        let day = view.started_at.div_euclid(DAY_US).clamp(0, u16::MAX.into());
        let (project, environment) = project_and_environment(view);
        let bucket = format!("{:?}", (tenant, day, project, environment, view.status.as_str()));
        vec![(bucket, vec![1, view.spans.len() as i128, view.total_tokens, view.total_cost.0])]
    }
}

impl Totalled for CostTotalRow {
    const FIELDS: &'static [&'static str] = &[
        "traces",
        "uses",
        "calls",
        "unpriced_calls",
        "timed_calls",
        "duration_us",
        "input_tokens",
        "output_tokens",
        "cache_read_tokens",
        "cache_write_tokens",
        "reasoning_tokens",
        "tokens",
        "cost",
    ];
    const NEEDS_CONTENT: bool = true;

    fn bucket(&self) -> Bucket {
        let key = (&self.tenant, self.cube, self.grain, &self.project_id, &self.model, self.start, &self.environment);
        (format!("{key:?}"), self.partition)
    }

    fn totals(&self) -> Totals {
        let calls = [self.traces, self.uses, self.calls, self.unpriced_calls, self.timed_calls, self.duration_us];
        let parts = [self.cache_read_tokens, self.cache_write_tokens, self.reasoning_tokens];
        let tokens = [self.input_tokens, self.output_tokens].into_iter().chain(parts).chain([self.tokens]);
        calls.into_iter().chain(tokens).map(i128::from).chain([self.cost]).collect()
    }

    fn shares(fold: &Fold, _: Texts, tenant: &str, trace_id: &str, upto: i64) -> Vec<(String, Totals)> {
        let state = fold.trace_at(tenant, trace_id, Some(upto));
        let Some(view) = state.visible() else { return Vec::new() };
        let (project, environment) = project_and_environment(view);
        let second = view.started_at.div_euclid(1_000_000);
        let models = view.by_model();
        let mut shares = Vec::new();
        for (place, (model, used)) in models.iter().enumerate() {
            let calls =
                [i128::from(place == 0), 1, used.calls, used.unpriced_calls, used.timed_calls, used.duration_us];
            let parts = [used.cache_read_tokens, used.cache_write_tokens, used.reasoning_tokens];
            let tokens = [used.input_tokens, used.output_tokens].into_iter().chain(parts).chain([used.tokens]);
            let totals: Totals = calls.into_iter().chain(tokens).chain([used.cost.0]).collect();
            let model = model.as_str();
            // cube, its seconds, what it tells apart
            let cubes = [
                (0, 86_400, "", ""),
                (0, 900, "", ""),
                (1, 86_400, project, ""),
                (1, 900, project, ""),
                (2, 86_400, "", model),
                (3, 86_400, project, model),
            ];
            for (cube, grain, project, model) in cubes {
                let start = second.div_euclid(grain) * grain;
                let bucket = format!("{:?}", (tenant, cube, grain, project, model, start, environment));
                shares.push((bucket, totals.clone()));
            }
        }
        shares
    }
}
