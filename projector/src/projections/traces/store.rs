//! ClickHouse as the traces projection uses it: state looked up by key with its version and tombstones (never `FINAL`,
//! which hides them, and with them the guard), rows inserted one statement a table.

use anyhow::Context;
use clickhouse::{Client, Row, RowOwned, RowWrite};
use schemas::topics;
use serde::Deserialize;

use super::rows::{CheckpointRow, CostTotalRow, CountRow, FeedbackRow, SpanRow, TraceRow};
use super::seam::{CostTotalKey, CountKey, Rows, Table, TraceKey};
use crate::Checkpoint;

const KEYS_A_QUERY: usize = 500;

#[derive(Clone)]
pub struct Store {
    client: Client,
    generation: i32,
}

impl Store {
    pub fn new(client: Client, generation: i32) -> Store {
        // What an insert does not know must fail it, not vanish.
        let client = client.with_setting("input_format_skip_unknown_fields", "0").with_setting("async_insert", "0");
        // Rows by their keys, and small blocks: more threads cost more than they give.
        let client = client.with_setting("max_threads", "1");
        Store { client, generation }
    }

    pub fn table(&self, name: &str) -> String {
        format!("{name}_g{}", self.generation)
    }

    async fn newest<T: RowOwned + clickhouse::RowRead>(
        &self,
        table: &str,
        key: &str,
        keys: &[TraceKey],
    ) -> anyhow::Result<Vec<T>> {
        let mut rows = Vec::new();
        for keys in keys.chunks(KEYS_A_QUERY) {
            let sql = format!(
                "SELECT ?fields FROM {} WHERE (tenant, trace_id) IN ? ORDER BY version DESC LIMIT 1 BY {key}",
                self.table(table)
            );
            rows.extend(
                self.client
                    .query(&sql)
                    .bind(keys)
                    .fetch_all::<T>()
                    .await
                    .with_context(|| format!("looking up {table}"))?,
            );
        }
        Ok(rows)
    }

    /// The tenants are named once more, since the whole key alone does not reach the index.
    async fn totals<T, K>(
        &self,
        table: &str,
        key: &str,
        keys: &[K],
        tenant: impl Fn(&K) -> String,
    ) -> anyhow::Result<Vec<T>>
    where
        T: RowOwned + clickhouse::RowRead,
        K: serde::Serialize,
    {
        let mut rows = Vec::new();
        for keys in keys.chunks(KEYS_A_QUERY) {
            let sql = format!(
                "SELECT ?fields FROM {} WHERE ({key}) IN ? AND tenant IN ? ORDER BY version DESC LIMIT 1 BY {key}",
                self.table(table)
            );
            let tenants: Vec<String> = keys.iter().map(&tenant).collect();
            let found = self.client.query(&sql).bind(keys).bind(tenants).fetch_all::<T>().await;
            rows.extend(found.with_context(|| format!("looking up {table}"))?);
        }
        Ok(rows)
    }

    async fn insert<T>(&self, table: &str, rows: &[T]) -> anyhow::Result<()>
    where
        T: RowOwned + RowWrite,
        for<'a> T: Row<Value<'a> = T>,
    {
        if rows.is_empty() {
            return Ok(());
        }
        let name = self.table(table);
        let mut insert = self.client.insert::<T>(&name).await.with_context(|| format!("inserting into {name}"))?;
        for row in rows {
            insert.write(row).await.with_context(|| format!("inserting into {name}"))?;
        }
        insert.end().await.with_context(|| format!("inserting into {name}"))
    }
}

impl Rows for Store {
    async fn spans(&self, keys: &[TraceKey]) -> anyhow::Result<Vec<SpanRow>> {
        self.newest("spans", "tenant, trace_id, span_id", keys).await
    }

    async fn feedback(&self, keys: &[TraceKey]) -> anyhow::Result<Vec<FeedbackRow>> {
        self.newest("feedback", "tenant, trace_id, user_id", keys).await
    }

    async fn traces(&self, keys: &[TraceKey]) -> anyhow::Result<Vec<TraceRow>> {
        self.newest("traces", "tenant, trace_id", keys).await
    }

    async fn counts(&self, keys: &[CountKey]) -> anyhow::Result<Vec<CountRow>> {
        let tenant = |key: &CountKey| key.0.clone();
        self.totals("trace_counts", "tenant, day, project_id, environment, status, partition", keys, tenant).await
    }

    async fn cost_totals(&self, keys: &[CostTotalKey]) -> anyhow::Result<Vec<CostTotalRow>> {
        let tenant = |key: &CostTotalKey| key.0.clone();
        let key = "tenant, cube, grain, project_id, model, start, environment, partition";
        self.totals("cost_totals", key, keys, tenant).await
    }

    async fn trace_hashes(&self, partition: i32, each: &mut (dyn FnMut(u64) + Send)) -> anyhow::Result<()> {
        #[derive(Row, Deserialize)]
        struct Hash {
            hash: u64,
        }
        let sql = format!(
            "SELECT xxh3(concat(tenant, '\\0', trace_id)) AS hash FROM {} WHERE partition = ?",
            self.table("traces")
        );
        let mut cursor = self.client.query(&sql).bind(partition).fetch::<Hash>()?;
        while let Some(row) = cursor.next().await.context("reading the known traces")? {
            each(row.hash);
        }
        Ok(())
    }

    async fn checkpoints(&self) -> anyhow::Result<Vec<Checkpoint>> {
        let sql = format!(
            "SELECT ?fields FROM {} WHERE topic = ? ORDER BY next_offset DESC LIMIT 1 BY partition",
            self.table("checkpoints")
        );
        let rows = self.client.query(&sql).bind(topics::TELEMETRY).fetch_all::<CheckpointRow>().await;
        Ok(rows
            .context("reading the checkpoints")?
            .into_iter()
            .map(|row| Checkpoint {
                partition: i32::from(row.partition),
                next_offset: row.next_offset as i64,
                log_id: row.log_id,
                partitions: i32::from(row.partitions),
                last_event: row.last_event,
                at: row.at,
            })
            .collect())
    }

    async fn write(&self, table: Table<'_>) -> anyhow::Result<()> {
        match table {
            Table::Chunks(rows) => self.insert("chunks", rows).await,
            Table::Cells(rows) => self.insert("cells", rows).await,
            Table::Erasures(rows) => self.insert("erasures", rows).await,
            Table::Counts(rows) => self.insert("trace_counts", rows).await,
            Table::List(rows) => self.insert("trace_list", rows).await,
            Table::TraceModels(rows) => self.insert("trace_models", rows).await,
            Table::CostTotals(rows) => self.insert("cost_totals", rows).await,
            Table::Traces(rows) => self.insert("traces", rows).await,
            Table::Spans(rows) => self.insert("spans", rows).await,
            Table::Feedback(rows) => self.insert("feedback", rows).await,
            Table::Checkpoints(rows) => self.insert("checkpoints", rows).await,
        }
    }
}
