//! ClickHouse as projections use it: rows inserted one statement a table, and the checkpoint written last.

use std::collections::HashMap;

use anyhow::Context;
use clickhouse::query::Query;
use clickhouse::{Client, Row, RowOwned, RowWrite};
use schemas::events::LogCreated;
use serde::{Deserialize, Serialize};

use crate::Checkpoint;
use crate::log::decode::Decoded;

/// The tables of one generation.
#[derive(Clone)]
pub struct Store {
    client: Client,
    generation: i32,
}

#[derive(Clone, Debug, PartialEq, Row, Serialize, Deserialize)]
pub struct CheckpointRow {
    pub topic: String,
    pub partition: u16,
    pub next_offset: u64,
    pub log_id: String,
    pub partitions: u16,
    pub last_event: String,
    pub at: i64,
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

    pub fn query(&self, sql: &str) -> Query {
        self.client.query(sql)
    }

    pub async fn insert<T>(&self, table: &str, rows: &[T]) -> anyhow::Result<()>
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

    pub async fn checkpoints(&self, table: &str, topic: &str) -> anyhow::Result<Vec<Checkpoint>> {
        let sql = format!(
            "SELECT ?fields FROM {} WHERE topic = ? ORDER BY next_offset DESC LIMIT 1 BY partition",
            self.table(table)
        );
        let rows = self.query(&sql).bind(topic).fetch_all::<CheckpointRow>().await;
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
}

/// Behind the last record of each partition; `logs` has the identity of each partition's log.
pub fn checkpoints(topic: &str, logs: &HashMap<i32, LogCreated>, batch: &[Decoded]) -> Vec<CheckpointRow> {
    let mut last: HashMap<i32, &Decoded> = HashMap::new();
    for decoded in batch {
        last.insert(decoded.partition, decoded);
    }
    let now = (time::OffsetDateTime::now_utc().unix_timestamp_nanos() / 1000) as i64;
    last.into_values()
        .filter_map(|decoded| {
            let log = logs.get(&decoded.partition)?;
            Some(CheckpointRow {
                topic: topic.to_owned(),
                partition: decoded.partition as u16,
                next_offset: (decoded.offset + 1) as u64,
                log_id: log.log_id.clone(),
                partitions: log.partitions as u16,
                last_event: decoded.event_id.clone(),
                at: now,
            })
        })
        .collect()
}
