//! ClickHouse as the traces projection uses it: state looked up by key with its version and tombstones (never `FINAL`,
//! which hides them, and with them the guard), rows inserted one statement a table.

use anyhow::Context;
use clickhouse::{Client, Row, RowOwned};
use schemas::topics;
use serde::Deserialize;

use super::rows::{CostTotalRow, CountRow, FeedbackRow, PromptUseRow, SpanRow, TraceRow, UsageRow};
use super::seam::{CostTotalKey, CountKey, PromptUseKey, Rows, Table, TraceKey, UsageKey};
use crate::{Checkpoint, store};

const KEYS_A_QUERY: usize = 500;

#[derive(Clone)]
pub struct Store(store::Store);

impl Store {
    pub fn new(client: Client, generation: i32) -> Store {
        Store(store::Store::new(client, generation))
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
                self.0.table(table)
            );
            rows.extend(
                self.0.query(&sql).bind(keys).fetch_all::<T>().await.with_context(|| format!("looking up {table}"))?,
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
                self.0.table(table)
            );
            let tenants: Vec<String> = keys.iter().map(&tenant).collect();
            let found = self.0.query(&sql).bind(keys).bind(tenants).fetch_all::<T>().await;
            rows.extend(found.with_context(|| format!("looking up {table}"))?);
        }
        Ok(rows)
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

    async fn prompt_uses(&self, keys: &[PromptUseKey]) -> anyhow::Result<Vec<PromptUseRow>> {
        self.totals("prompt_uses", "tenant, prompt, prompt_version, partition", keys, |key| key.0.clone()).await
    }

    async fn usage(&self, keys: &[UsageKey]) -> anyhow::Result<Vec<UsageRow>> {
        self.totals("usage_totals", "tenant, day, partition", keys, |key| key.0.clone()).await
    }

    async fn trace_hashes(&self, partition: i32, each: &mut (dyn FnMut(u64) + Send)) -> anyhow::Result<()> {
        #[derive(Row, Deserialize)]
        struct Hash {
            hash: u64,
        }
        let sql = format!(
            "SELECT xxh3(concat(tenant, '\\0', trace_id)) AS hash FROM {} WHERE partition = ?",
            self.0.table("traces")
        );
        let mut cursor = self.0.query(&sql).bind(partition).fetch::<Hash>()?;
        while let Some(row) = cursor.next().await.context("reading the known traces")? {
            each(row.hash);
        }
        Ok(())
    }

    async fn checkpoints(&self) -> anyhow::Result<Vec<Checkpoint>> {
        self.0.checkpoints("checkpoints", topics::TELEMETRY).await
    }

    async fn write(&self, table: Table<'_>) -> anyhow::Result<()> {
        match table {
            Table::Chunks(rows) => self.0.insert("chunks", rows).await,
            Table::Cells(rows) => self.0.insert("cells", rows).await,
            Table::Erasures(rows) => self.0.insert("erasures", rows).await,
            Table::Counts(rows) => self.0.insert("trace_counts", rows).await,
            Table::List(rows) => self.0.insert("trace_list", rows).await,
            Table::TraceModels(rows) => self.0.insert("trace_models", rows).await,
            Table::CostTotals(rows) => self.0.insert("cost_totals", rows).await,
            Table::PromptUses(rows) => self.0.insert("prompt_uses", rows).await,
            Table::Usage(rows) => self.0.insert("usage_totals", rows).await,
            Table::Traces(rows) => self.0.insert("traces", rows).await,
            Table::Spans(rows) => self.0.insert("spans", rows).await,
            Table::Feedback(rows) => self.0.insert("feedback", rows).await,
            Table::Checkpoints(rows) => self.0.insert("checkpoints", rows).await,
        }
    }
}
