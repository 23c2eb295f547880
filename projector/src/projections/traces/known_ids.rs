//! Which traces the store may have. A look-up is dear, and most traces of a flush are new: a filter says so, once it is
//! complete for the partition, from the table's own rows; until then every id counts as known. A false negative would
//! replace a whole fold by a fragment, a false positive costs one look-up.

use std::collections::HashSet;

use fastbloom::BloomFilter;
use schemas::topics::aggregate_hash;

pub struct KnownIds {
    filter: BloomFilter,
    complete: HashSet<i32>,
}

impl KnownIds {
    pub fn new(capacity: usize) -> KnownIds {
        KnownIds {
            filter: BloomFilter::with_false_pos(0.01).seed(&0).expected_items(capacity.max(1000)),
            complete: HashSet::new(),
        }
    }

    pub fn may_have(&self, partition: i32, tenant: &str, trace_id: &str) -> bool {
        !self.complete.contains(&partition) || self.filter.contains(&aggregate_hash(tenant, trace_id))
    }

    pub fn insert(&mut self, tenant: &str, trace_id: &str) {
        self.filter.insert(&aggregate_hash(tenant, trace_id));
    }

    pub fn insert_hash(&mut self, hash: u64) {
        self.filter.insert(&hash);
    }

    /// Every row of the partition's traces has been inserted.
    pub fn completed(&mut self, partition: i32) {
        self.complete.insert(partition);
    }

    pub fn forget(&mut self, partition: i32) {
        self.complete.remove(&partition);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_is_known_until_the_partition_is_complete() {
        let mut known = KnownIds::new(1000);
        known.insert("t", "a");
        assert!(known.may_have(1, "t", "never seen"));
        known.completed(1);
        assert!(known.may_have(1, "t", "a"));
        assert!(!known.may_have(1, "t", "never seen"));
        known.forget(1);
        assert!(known.may_have(1, "t", "never seen"));
    }
}
