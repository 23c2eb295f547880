//! `trace_counts` against the fold: totals of the visible traces per bucket and partition.
//!
//! A row holds the totals of its bucket up to its version, and nothing before the projection's checkpoint is missing in
//! it; so what is expected is the sum over all traces as they were at the later of the two offsets, which is exact while
//! the projection goes on. The rows are few and stay in memory while the slices of the log pass by.

use std::collections::BTreeMap;

use clickhouse::Client;
use schemas::topics;

use crate::fold::Fold;
use crate::log::Ends;
use crate::rows::{CountRow, Keyed, newest, offset_of};
use crate::verify::Report;
use crate::view::TraceState;

const DAY_US: i64 = 86_400_000_000;

/// tenant, day, project, environment, status, partition
type Bucket = (String, u16, String, String, String, u16);

/// traces, spans, tokens, cost
type Totals = [i128; 4];

pub struct Counts {
    next: Ends,
    /// The newest rows of each bucket, and their offset.
    rows: BTreeMap<Bucket, (i64, Vec<Totals>)>,
    expected: BTreeMap<Bucket, Totals>,
    /// The last offset of any row of a partition.
    last: Ends,
    /// Up to where a partition's totals cannot be computed, since content of a trace deleted there is erased.
    lost: Ends,
}

impl Counts {
    /// `next`: the projection's checkpoints, read before.
    pub async fn read(client: &Client, generation: &str, next: Ends, report: &mut Report) -> anyhow::Result<Counts> {
        let mut counts =
            Counts { next, rows: BTreeMap::new(), expected: BTreeMap::new(), last: Ends::new(), lost: Ends::new() };
        newest(client, generation, |row: CountRow| {
            let Some(offset) = offset_of(row.version) else {
                report.difference(format!(
                    "{} {}: version {} is of another epoch",
                    CountRow::TABLE,
                    row.key(),
                    row.version
                ));
                return;
            };
            let last = counts.last.entry(row.partition.into()).or_insert(offset);
            *last = offset.max(*last);
            let totals = [row.traces.into(), row.spans.into(), row.tokens.into(), row.cost];
            let bucket = (row.tenant, row.day, row.project_id, row.environment, row.status, row.partition);
            let held = counts.rows.entry(bucket).or_insert((offset, Vec::new()));
            held.0 = offset;
            held.1.push(totals);
        })
        .await?;
        Ok(counts)
    }

    fn read_upto(&self, partition: i32) -> i64 {
        self.next.get(&partition).copied().unwrap_or(0) - 1
    }

    /// Up to which offset a bucket is summed.
    fn upto(&self, bucket: &Bucket) -> i64 {
        let read_upto = self.read_upto(bucket.5.into());
        self.rows.get(bucket).map_or(read_upto, |(offset, _)| read_upto.max(*offset))
    }

    /// Adds the traces of a fold that was read after the rows.
    pub fn add(&mut self, fold: &Fold, partitions: i32) {
        for (tenant, trace_id) in fold.traces() {
            let partition = topics::trace_partition(tenant, trace_id, partitions);
            let read_upto = self.read_upto(partition);
            let last = self.last.get(&partition).copied().unwrap_or(-1);
            let deleted_at = fold.deleted_at(tenant, trace_id).unwrap_or(i64::MAX);
            if deleted_at > read_upto && fold.is_past_lost(tenant, trace_id) {
                let lost = self.lost.entry(partition).or_insert(deleted_at);
                *lost = deleted_at.max(*lost);
            }
            let share = |offset| share(tenant, partition, &fold.trace_at(tenant, trace_id, Some(offset)));
            let mut before = share(read_upto);
            self.move_share(read_upto, None, before.as_ref());
            for offset in fold.offsets(tenant, trace_id).filter(|offset| *offset > read_upto && *offset <= last) {
                let after = share(offset);
                self.move_share(offset, before.as_ref(), after.as_ref());
                before = after;
            }
        }
    }

    fn move_share(&mut self, offset: i64, from: Option<&(Bucket, Totals)>, to: Option<&(Bucket, Totals)>) {
        for (sign, share) in [(-1, from), (1, to)] {
            if let Some((bucket, values)) = share
                && offset <= self.upto(bucket)
            {
                let totals = self.expected.entry(bucket.clone()).or_default();
                for (total, value) in totals.iter_mut().zip(values) {
                    *total += sign * value;
                }
            }
        }
    }

    /// After the last slice.
    pub fn compare(&self, report: &mut Report) {
        let table = CountRow::TABLE;
        let missing = self.expected.keys().filter(|bucket| !self.rows.contains_key(bucket));
        for bucket in self.rows.keys().chain(missing) {
            if self.lost.get(&bucket.5.into()).is_some_and(|lost| *lost > self.upto(bucket)) {
                report.skip(table);
                continue;
            }
            let expected = self.expected.get(bucket).copied().unwrap_or_default();
            // No row means zero.
            let found = self.rows.get(bucket).map_or_else(|| vec![Totals::default()], |(_, rows)| rows.clone());
            for found in found {
                report.compared(table);
                for (at, field) in ["traces", "spans", "tokens", "cost"].into_iter().enumerate() {
                    report.field(table, &format!("{bucket:?}"), field, &expected[at], &found[at]);
                }
            }
        }
    }
}

/// Where a trace is counted, and for how much.
fn share(tenant: &str, partition: i32, state: &TraceState) -> Option<(Bucket, Totals)> {
    let view = state.visible()?;
    let day = view.started_at.div_euclid(DAY_US).clamp(0, u16::MAX.into()) as u16;
    let (project, environment) =
        (view.project_id.clone().unwrap_or_default(), view.environment.clone().unwrap_or_default());
    let bucket = (tenant.to_owned(), day, project, environment, view.status.as_str().to_owned(), partition as u16);
    Some((bucket, [1, view.spans.len() as i128, view.total_tokens, view.total_cost.0]))
}
