//! Every write of both topics in ClickHouse, chained by hashes within (tenant, topic, partition) (ADR 0019).
//!
//! A row is a pure function of its record and of the row before it in the chain, and is never changed: it may be written
//! any number of times, by any number of writers, who all write the same. A flush looks up the heads of the chains that it
//! goes on with and that are not in memory, and writes its rows, then the checkpoint.

mod chain;
mod rows;
mod store;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use lru::LruCache;
use runtime::Settings;

use self::chain::{ChainKey, Head};
use self::rows::AuditRow;
use self::store::{Chains, Store};
use super::Projection;
use crate::log::decode::Decoded;
use crate::log::identity;
use crate::store::CheckpointRow;

/// Heads in memory; what falls out is looked up again.
const HEADS: usize = 100_000;

/// One topic's part of the projection: its chains have nothing to do with those of another topic.
pub struct Audit<S> {
    settings: Arc<Settings>,
    topic: &'static str,
    store: S,
    heads: LruCache<ChainKey, Head>,
    /// Partition → the identity of its log.
    logs: HashMap<i32, schemas::events::LogCreated>,
}

pub struct Prepared {
    rows: Vec<AuditRow>,
    checkpoints: Vec<CheckpointRow>,
    /// Of the chains that the batch goes on with, behind it.
    heads: HashMap<ChainKey, Head>,
}

/// On ClickHouse.
pub fn on_clickhouse(
    settings: Arc<Settings>,
    client: clickhouse::Client,
    topic: &'static str,
    generation: i32,
) -> impl Projection {
    Audit::new(settings, Store::new(client, generation), topic)
}

impl<S: Chains> Audit<S> {
    fn new(settings: Arc<Settings>, store: S, topic: &'static str) -> Audit<S> {
        let most = NonZeroUsize::new(HEADS).unwrap_or(NonZeroUsize::MIN);
        Audit { settings, topic, store, heads: LruCache::new(most), logs: HashMap::new() }
    }

    /// What stands before the batch in each chain that it goes on with. A head in memory that lies within the batch is of no
    /// use, since the batch is read again; the store may be ahead as well: it is asked for what lies before the batch.
    async fn before(&mut self, batch: &[Decoded]) -> anyhow::Result<HashMap<ChainKey, Head>> {
        let first = chain::first_offsets(batch);
        let mut heads = HashMap::new();
        let mut unknown = Vec::new();
        for key in chain::keys(batch) {
            let first = first.get(&key.1).copied().unwrap_or_default();
            match self.heads.get(&key) {
                Some(head) if head.offset < first => {
                    heads.insert(key, head.clone());
                }
                _ => unknown.push((key, first)),
            }
        }
        heads.extend(self.store.heads(self.topic, &unknown).await?);
        Ok(heads)
    }
}

impl<S: Chains> Projection for Audit<S> {
    type Prepared = Prepared;

    fn name(&self) -> &'static str {
        "audit"
    }

    async fn ready(&self) -> anyhow::Result<()> {
        self.store.checkpoints(self.topic).await.map(drop)
    }

    async fn assign(&mut self, partitions: &[i32]) -> anyhow::Result<Vec<(i32, i64)>> {
        let checkpoints = self.store.checkpoints(self.topic).await?;
        let starts = identity::starts(&self.settings, self.topic, partitions, checkpoints).await?;
        self.logs.extend(starts.iter().map(|start| (start.partition, start.log.clone())));
        Ok(starts.into_iter().map(|start| (start.partition, start.offset)).collect())
    }

    fn revoke(&mut self, partitions: &[i32]) {
        // Another node goes on from the store; what is here would be stale when a partition comes back.
        self.heads.clear();
        for partition in partitions {
            self.logs.remove(partition);
        }
    }

    async fn prepare(&mut self, batch: &[Decoded]) -> anyhow::Result<Prepared> {
        let mut heads = self.before(batch).await?;
        let rows = chain::extend(self.topic, batch, &mut heads);
        Ok(Prepared { rows, checkpoints: crate::store::checkpoints(self.topic, &self.logs, batch), heads })
    }

    async fn commit(&mut self, prepared: &Prepared) -> anyhow::Result<()> {
        self.store.write(&prepared.rows).await?;
        self.store.write_checkpoints(&prepared.checkpoints).await?;
        for (key, head) in &prepared.heads {
            self.heads.put(key.clone(), head.clone());
        }
        Ok(())
    }
}
