//! What the projection asks of its store, and ClickHouse as it. A store in memory stands there in the tests.

use std::future::Future;

use anyhow::Context;
use clickhouse::{Client, Row};
use serde::Deserialize;

use super::chain::{ChainKey, Head};
use super::rows::AuditRow;
use crate::store::CheckpointRow;
use crate::{Checkpoint, store};

/// Each is a look at the end of a range of the table's key.
const CHAINS_A_QUERY: usize = 50;

pub trait Chains: Send + Sync + 'static {
    /// Of each chain the last write before an offset; a chain without one is left out.
    fn heads(
        &self,
        topic: &str,
        before: &[(ChainKey, i64)],
    ) -> impl Future<Output = anyhow::Result<Vec<(ChainKey, Head)>>> + Send;
    fn checkpoints(&self, topic: &str) -> impl Future<Output = anyhow::Result<Vec<Checkpoint>>> + Send;
    fn write(&self, rows: &[AuditRow]) -> impl Future<Output = anyhow::Result<()>> + Send;
    fn write_checkpoints(&self, rows: &[CheckpointRow]) -> impl Future<Output = anyhow::Result<()>> + Send;
}

#[derive(Clone)]
pub struct Store(store::Store);

#[derive(Row, Deserialize)]
struct HeadRow {
    tenant: String,
    partition: u16,
    at_offset: u64,
    nth: u64,
    #[serde(with = "serde_bytes")]
    hash: Vec<u8>,
}

impl Store {
    pub fn new(client: Client, generation: i32) -> Store {
        Store(store::Store::new(client, generation))
    }
}

impl Chains for Store {
    async fn heads(&self, topic: &str, before: &[(ChainKey, i64)]) -> anyhow::Result<Vec<(ChainKey, Head)>> {
        // Read from behind, in the order of the key: a look, however long the chain is.
        let one = format!(
            "SELECT tenant, partition, at_offset, nth, hash FROM {} \
             WHERE tenant = ? AND topic = ? AND partition = ? AND at_offset < ? \
             ORDER BY tenant DESC, topic DESC, partition DESC, at_offset DESC LIMIT 1",
            self.0.table("audit_log")
        );
        let mut heads = Vec::new();
        for chains in before.chunks(CHAINS_A_QUERY) {
            let all: Vec<String> = chains.iter().map(|_| format!("SELECT * FROM ({one})")).collect();
            let sql = format!("SELECT tenant, partition, at_offset, nth, hash FROM ({})", all.join(" UNION ALL "));
            let query = chains.iter().fold(self.0.query(&sql), |query, ((tenant, partition), offset)| {
                query.bind(tenant).bind(topic).bind(partition).bind(offset)
            });
            for row in query.fetch_all::<HeadRow>().await.context("looking up the heads of the audit's chains")? {
                let hash = row.hash.try_into().map_err(|_| anyhow::anyhow!("a hash of the audit has not 32 bytes"))?;
                let head = Head { offset: row.at_offset as i64, nth: row.nth, hash };
                heads.push(((row.tenant, i32::from(row.partition)), head));
            }
        }
        Ok(heads)
    }

    async fn checkpoints(&self, topic: &str) -> anyhow::Result<Vec<Checkpoint>> {
        self.0.checkpoints("audit_checkpoints", topic).await
    }

    async fn write(&self, rows: &[AuditRow]) -> anyhow::Result<()> {
        self.0.insert("audit_log", rows).await
    }

    async fn write_checkpoints(&self, rows: &[CheckpointRow]) -> anyhow::Result<()> {
        self.0.insert("audit_checkpoints", rows).await
    }
}
