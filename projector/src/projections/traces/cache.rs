//! State in memory between flushes, bounded; what falls out is looked up again.

use std::collections::{HashMap, HashSet};

use lru::LruCache;

use super::entry::TraceEntry;
use super::fold::{Count, add};
use super::rows::CountRow;
use super::seam::{CountKey, Rows, TraceKey};

pub struct Cache {
    entries: LruCache<TraceKey, TraceEntry>,
    most: usize,
}

impl Cache {
    /// `most` counts traces, spans and verdicts.
    pub fn new(most: usize) -> Cache {
        Cache { entries: LruCache::unbounded(), most }
    }

    pub fn has(&self, key: &TraceKey) -> bool {
        self.entries.contains(key)
    }

    pub fn put(&mut self, key: TraceKey, entry: TraceEntry) {
        self.entries.put(key, entry);
    }

    /// The entry; a new one for a trace that neither memory nor store has.
    pub fn entry(&mut self, key: &TraceKey) -> &mut TraceEntry {
        self.entries.get_or_insert_mut_ref(key, TraceEntry::default)
    }

    /// After a flush is written; within one, everything it touches stays.
    pub fn shrink(&mut self) {
        let mut weight: usize = self.entries.iter().map(|(_, entry)| entry.weight()).sum();
        while weight > self.most {
            let Some((_, entry)) = self.entries.pop_lru() else { return };
            weight -= entry.weight();
        }
    }

    pub fn clear(&mut self) {
        self.entries.clear();
    }
}

/// Totals per bucket and partition, each under its own guard.
#[derive(Default)]
pub struct Counts(HashMap<CountKey, CountRow>);

const MOST_BUCKETS: usize = 50_000;

impl Counts {
    /// Applies the changes in order and returns the rows that changed.
    pub async fn apply(&mut self, store: &impl Rows, changes: Vec<Count>) -> anyhow::Result<Vec<CountRow>> {
        let touched: HashSet<CountKey> = changes.iter().map(|change| key_of(&change.row)).collect();
        let missing: Vec<CountKey> = touched.iter().filter(|key| !self.0.contains_key(*key)).cloned().collect();
        let mut found: HashMap<CountKey, CountRow> =
            store.counts(&missing).await?.into_iter().map(|row| (key_of(&row), row)).collect();
        for key in missing {
            let row = found.remove(&key).unwrap_or_else(|| empty(&key));
            self.0.insert(key, row);
        }
        let mut changed: HashSet<CountKey> = HashSet::new();
        for Count { row, version } in changes {
            let key = key_of(&row);
            let Some(total) = self.0.get_mut(&key) else { continue };
            if version > total.version {
                add(total, &row);
                total.version = version;
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

fn key_of(row: &CountRow) -> CountKey {
    (row.tenant.clone(), row.day, row.project_id.clone(), row.environment.clone(), row.status.clone(), row.partition)
}

fn empty(key: &CountKey) -> CountRow {
    let (tenant, day, project_id, environment, status, partition) = key.clone();
    CountRow { tenant, day, project_id, environment, status, partition, ..CountRow::default() }
}
