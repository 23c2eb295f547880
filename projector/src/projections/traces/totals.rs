//! Totals per bucket and partition, each under its own guard: what one event changes in them, and their state in memory.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::hash::Hash;

use super::rows::{CostTotalRow, CountRow, PromptUseRow, UsageRow};
use super::seam::{CostTotalKey, CountKey, PromptUseKey, Rows, UsageKey};

const MOST_BUCKETS: usize = 50_000;

/// A row of totals. Every value in it adds and subtracts.
pub trait Total: Clone + Default + Send {
    type Key: Clone + Eq + Hash + Send + Sync;

    fn key(&self) -> Self::Key;
    fn empty(key: &Self::Key) -> Self;
    fn version(&mut self) -> &mut u64;
    /// Adds `sign` times the other's values.
    fn add(&mut self, other: &Self, sign: i64);
    fn held(store: &impl Rows, keys: &[Self::Key]) -> impl Future<Output = anyhow::Result<Vec<Self>>> + Send;
}

/// What one event adds to a bucket. Applied under the bucket's own guard.
pub struct Change<R> {
    pub row: R,
    pub version: u64,
}

/// One change a bucket and event, so that the bucket's guard sees the event once; none where nothing changes.
pub fn changes<R: Total + PartialEq>(
    before: impl IntoIterator<Item = R>,
    after: impl IntoIterator<Item = R>,
    version: u64,
    changes: &mut Vec<Change<R>>,
) {
    let signed = before.into_iter().map(|row| (row, -1)).chain(after.into_iter().map(|row| (row, 1)));
    let mut sums: HashMap<R::Key, R> = HashMap::new();
    for (row, sign) in signed {
        let key = row.key();
        sums.entry(key).or_insert_with_key(R::empty).add(&row, sign);
    }
    changes.extend(sums.into_iter().filter(|(key, row)| *row != R::empty(key)).map(|(_, row)| Change { row, version }));
}

pub struct Totals<R: Total>(HashMap<R::Key, R>);

impl<R: Total> Default for Totals<R> {
    fn default() -> Totals<R> {
        Totals(HashMap::new())
    }
}

impl<R: Total> Totals<R> {
    /// Applies the changes in order and returns the rows that changed.
    pub async fn apply(&mut self, store: &impl Rows, changes: Vec<Change<R>>) -> anyhow::Result<Vec<R>> {
        let touched: HashSet<R::Key> = changes.iter().map(|change| change.row.key()).collect();
        let missing: Vec<R::Key> = touched.iter().filter(|key| !self.0.contains_key(*key)).cloned().collect();
        let held = R::held(store, &missing).await?;
        let mut found: HashMap<R::Key, R> = held.into_iter().map(|row| (row.key(), row)).collect();
        for key in missing {
            let row = found.remove(&key).unwrap_or_else(|| R::empty(&key));
            self.0.insert(key, row);
        }
        let mut changed: HashSet<R::Key> = HashSet::new();
        for Change { row, version } in changes {
            let key = row.key();
            let Some(total) = self.0.get_mut(&key) else { continue };
            if version > *total.version() {
                total.add(&row, 1);
                *total.version() = version;
                changed.insert(key);
            }
        }
        Ok(changed.iter().filter_map(|key| self.0.get(key).cloned()).collect())
    }

    pub fn shrink(&mut self) {
        if self.0.len() > MOST_BUCKETS {
            self.0.clear();
        }
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }
}

impl Total for CountRow {
    type Key = CountKey;

    fn key(&self) -> CountKey {
        let (project, environment) = (self.project_id.clone(), self.environment.clone());
        (self.tenant.clone(), self.day, project, environment, self.status.clone(), self.partition)
    }

    fn empty(key: &CountKey) -> CountRow {
        let (tenant, day, project_id, environment, status, partition) = key.clone();
        CountRow { tenant, day, project_id, environment, status, partition, ..CountRow::default() }
    }

    fn version(&mut self) -> &mut u64 {
        &mut self.version
    }

    fn add(&mut self, other: &CountRow, sign: i64) {
        self.traces += sign * other.traces;
        self.spans += sign * other.spans;
        self.tokens += sign * other.tokens;
        self.cost += i128::from(sign) * other.cost;
    }

    async fn held(store: &impl Rows, keys: &[CountKey]) -> anyhow::Result<Vec<CountRow>> {
        store.counts(keys).await
    }
}

impl Total for UsageRow {
    type Key = UsageKey;

    fn key(&self) -> UsageKey {
        (self.tenant.clone(), self.day, self.partition)
    }

    fn empty(key: &UsageKey) -> UsageRow {
        let (tenant, day, partition) = key.clone();
        UsageRow { tenant, day, partition, ..UsageRow::default() }
    }

    fn version(&mut self) -> &mut u64 {
        &mut self.version
    }

    fn add(&mut self, other: &UsageRow, sign: i64) {
        self.traces += sign * other.traces;
        self.spans += sign * other.spans;
        self.tokens += sign * other.tokens;
        self.cost += i128::from(sign) * other.cost;
        self.ai_requests += sign * other.ai_requests;
    }

    async fn held(store: &impl Rows, keys: &[UsageKey]) -> anyhow::Result<Vec<UsageRow>> {
        store.usage(keys).await
    }
}

impl Total for PromptUseRow {
    type Key = PromptUseKey;

    fn key(&self) -> PromptUseKey {
        (self.tenant.clone(), self.prompt, self.prompt_version, self.partition)
    }

    fn empty(key: &PromptUseKey) -> PromptUseRow {
        let (tenant, prompt, prompt_version, partition) = key.clone();
        PromptUseRow { tenant, prompt, prompt_version, partition, ..PromptUseRow::default() }
    }

    fn version(&mut self) -> &mut u64 {
        &mut self.version
    }

    fn add(&mut self, other: &PromptUseRow, sign: i64) {
        self.calls += sign * other.calls;
        self.failed += sign * other.failed;
        self.tokens += sign * other.tokens;
        self.cost += i128::from(sign) * other.cost;
    }

    async fn held(store: &impl Rows, keys: &[PromptUseKey]) -> anyhow::Result<Vec<PromptUseRow>> {
        store.prompt_uses(keys).await
    }
}

impl Total for CostTotalRow {
    type Key = CostTotalKey;

    fn key(&self) -> CostTotalKey {
        let (project, model, environment) = (self.project_id.clone(), self.model.clone(), self.environment.clone());
        (self.tenant.clone(), self.cube, self.grain, project, model, self.start, environment, self.partition)
    }

    fn empty(key: &CostTotalKey) -> CostTotalRow {
        let (tenant, cube, grain, project_id, model, start, environment, partition) = key.clone();
        CostTotalRow {
            tenant,
            cube,
            grain,
            project_id,
            model,
            start,
            environment,
            partition,
            ..CostTotalRow::default()
        }
    }

    fn version(&mut self) -> &mut u64 {
        &mut self.version
    }

    fn add(&mut self, other: &CostTotalRow, sign: i64) {
        self.traces += sign * other.traces;
        self.uses += sign * other.uses;
        self.calls += sign * other.calls;
        self.unpriced_calls += sign * other.unpriced_calls;
        self.input_tokens += sign * other.input_tokens;
        self.output_tokens += sign * other.output_tokens;
        self.cache_read_tokens += sign * other.cache_read_tokens;
        self.cache_write_tokens += sign * other.cache_write_tokens;
        self.reasoning_tokens += sign * other.reasoning_tokens;
        self.timed_calls += sign * other.timed_calls;
        self.duration_us += sign * other.duration_us;
        self.tokens += sign * other.tokens;
        self.cost += i128::from(sign) * other.cost;
    }

    async fn held(store: &impl Rows, keys: &[CostTotalKey]) -> anyhow::Result<Vec<CostTotalRow>> {
        store.cost_totals(keys).await
    }
}
