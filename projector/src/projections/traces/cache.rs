//! Traces in memory between flushes, bounded; what falls out is looked up again.

use lru::LruCache;

use super::entry::TraceEntry;
use super::seam::TraceKey;

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
