//! The fold: each write behind the one before it in its chain.

use std::collections::{BTreeSet, HashMap};

use schemas::audit::{self, Hash};

use super::rows::AuditRow;
use crate::log::decode::{Decoded, Outcome, Write};

/// Tenant and partition, within a topic.
pub type ChainKey = (String, i32);

/// The last write of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub offset: i64,
    /// Its number in the chain, from 1.
    pub nth: u64,
    pub hash: Hash,
}

/// Where the batch begins in each partition.
pub fn first_offsets(batch: &[Decoded]) -> HashMap<i32, i64> {
    batch.iter().rev().map(|decoded| (decoded.partition, decoded.offset)).collect()
}

/// The chains that the batch goes on with.
pub fn keys(batch: &[Decoded]) -> BTreeSet<ChainKey> {
    writes(batch).map(|(decoded, write)| (write.envelope.tenant.clone(), decoded.partition)).collect()
}

/// The batch's rows; `heads` are what stands before it, and then what stands at its end.
pub fn extend(topic: &str, batch: &[Decoded], heads: &mut HashMap<ChainKey, Head>) -> Vec<AuditRow> {
    writes(batch)
        .map(|(decoded, write)| {
            let key = (write.envelope.tenant.clone(), decoded.partition);
            let before = heads.get(&key);
            let previous = before.map_or(audit::BEGINNING, |head| head.hash);
            let nth = before.map_or(0, |head| head.nth) + 1;
            let place = (topic, decoded.partition, decoded.offset);
            let hash = audit::link(&previous, place, &write.envelope, &write.content);
            heads.insert(key, Head { offset: decoded.offset, nth, hash });
            AuditRow::new(place, write, nth, &previous, &hash)
        })
        .collect()
}

fn writes(batch: &[Decoded]) -> impl Iterator<Item = (&Decoded, &Write)> {
    batch.iter().filter_map(|decoded| match &decoded.outcome {
        Outcome::Write(write) => Some((decoded, write.as_ref())),
        _ => None,
    })
}
