//! What ClickHouse still holds of deleted traces, in one generation.

use anyhow::Context;
use clickhouse::{Client, Row};
use schemas::topics;
use serde::{Deserialize, Serialize};

use super::keys::Owner;

/// One statement names this many traces at the most.
const BATCH: u32 = 1_000;

#[derive(Clone, Debug, Row, Serialize, Deserialize)]
pub struct Pending {
    pub partition: u16,
    pub version: u64,
    pub tenant: String,
    pub trace_id: String,
}

impl Pending {
    pub fn owner(&self) -> Owner {
        Owner { partition: self.partition.into(), tenant: self.tenant.clone(), name: self.trace_id.clone() }
    }

    pub fn offset(&self) -> i64 {
        (self.version & 0xffff_ffff_ffff) as i64
    }
}

pub struct Queue {
    client: Client,
    generation: i32,
}

impl Queue {
    pub fn new(client: &Client, generation: i32) -> Queue {
        // Until the rows are gone; the default differs between a server and a library.
        Queue { client: client.clone().with_setting("mutations_sync", "2"), generation }
    }

    /// Only what lies below the checkpoint: its tombstones are written.
    pub async fn pending(&self) -> anyhow::Result<Vec<Pending>> {
        let g = self.generation;
        let sql = format!(
            "SELECT partition, version, tenant, trace_id FROM erasures_g{g} FINAL INNER JOIN
               (SELECT partition, max(next_offset) AS next FROM checkpoints_g{g} WHERE topic = ? GROUP BY partition) AS applied
               USING (partition)
             WHERE bitAnd(version, 281474976710655) < next ORDER BY version LIMIT {BATCH}"
        );
        self.client.query(&sql).bind(topics::TELEMETRY).fetch_all().await.context("the erasures cannot be read")
    }

    pub async fn remove_content(&self, pending: &[Pending]) -> anyhow::Result<()> {
        let tables = [
            ("cells", "true"),
            ("chunks", "true"),
            // Tombstones stay: they keep the trace deleted. They hold no content.
            ("traces", "is_deleted = 0"),
            ("trace_list", "is_deleted = 0"),
            ("trace_models", "is_deleted = 0"),
            ("spans", "is_deleted = 0"),
            ("feedback", "is_deleted = 0"),
        ];
        let key = |row: &Pending| (row.tenant.clone(), row.trace_id.clone());
        // Together: most of a mutation's time is waiting for its turn.
        let removals = tables.map(|(table, which)| async move {
            self.delete(table, &format!("{which} AND (tenant, trace_id) IN ?"), pending, key).await
        });
        futures::future::try_join_all(removals).await.map(drop)
    }

    pub async fn done(&self, pending: &[Pending]) -> anyhow::Result<()> {
        self.delete("erasures", "(partition, version) IN ?", pending, |row| (row.partition, row.version)).await
    }

    async fn delete<K: Serialize>(
        &self,
        table: &str,
        condition: &str,
        pending: &[Pending],
        key: impl Fn(&Pending) -> K,
    ) -> anyhow::Result<()> {
        let keys: Vec<K> = pending.iter().map(key).collect();
        let sql = format!("ALTER TABLE {table}_g{} DELETE WHERE {condition}", self.generation);
        self.client.query(&sql).bind(keys).execute().await.with_context(|| format!("erasing from {table}"))
    }
}
