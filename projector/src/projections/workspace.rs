//! API keys, price tables and the progress of erasures in Postgres: rows and checkpoint in one transaction, which first
//! locks the checkpoint and skips what lies below it.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Context;
use runtime::Settings;
use runtime::postgres::{live_schema, schema};
use schemas::{Envelope, Event, topics};
use sqlx::{AssertSqlSafe, PgConnection, PgPool, Row};

use super::Projection;
use crate::Checkpoint;
use crate::log::decode::{Decoded, Outcome};
use crate::log::identity::LogReader;

pub struct Workspace {
    settings: Arc<Settings>,
    pool: PgPool,
    schema: String,
    /// Partition → the identity of its log.
    logs: HashMap<i32, schemas::events::LogCreated>,
}

pub struct Prepared(Vec<Decoded>);

pub fn hears(kind: &str) -> bool {
    kind.starts_with("dev.retrace.api_key.")
        || kind.starts_with("dev.retrace.price_table.")
        || kind.starts_with("dev.retrace.contents.")
}

/// The text of a price table, if the live generation has it.
pub async fn price_table(pool: &PgPool, hash: &str) -> anyhow::Result<Option<String>> {
    let schema = live_schema(pool, "workspace").await?;
    let sql = format!("SELECT body FROM {schema}.price_tables WHERE hash = $1 LIMIT 1");
    let body: Option<Vec<u8>> = sqlx::query_scalar(AssertSqlSafe(sql)).bind(hash).fetch_optional(pool).await?;
    body.map(|body| {
        let text = zstd::bulk::decompress(&body, 64 << 20).context("a price table cannot be decompressed")?;
        Ok(String::from_utf8(text)?)
    })
    .transpose()
}

impl Workspace {
    pub fn new(settings: Arc<Settings>, pool: PgPool, generation: i32) -> Workspace {
        Workspace { settings, pool, schema: schema("workspace", generation), logs: HashMap::new() }
    }

    async fn checkpoints(&self) -> anyhow::Result<Vec<Checkpoint>> {
        let sql = format!(
            "SELECT partition_id, next_offset, log_id, partitions, last_event FROM {}.checkpoints WHERE topic = $1",
            self.schema
        );
        let rows = sqlx::query(AssertSqlSafe(sql)).bind(topics::WORKSPACE).fetch_all(&self.pool).await?;
        Ok(rows
            .into_iter()
            .map(|row| Checkpoint {
                partition: row.get("partition_id"),
                next_offset: row.get("next_offset"),
                log_id: row.get("log_id"),
                partitions: row.get("partitions"),
                last_event: row.get("last_event"),
                at: 0,
            })
            .collect())
    }
}

/// Locks the partition's checkpoint until the transaction ends, and says where it is.
async fn lock(connection: &mut PgConnection, partition: i32) -> sqlx::Result<i64> {
    let found: Option<i64> =
        sqlx::query_scalar("SELECT next_offset FROM checkpoints WHERE topic = $1 AND partition_id = $2 FOR UPDATE")
            .bind(topics::WORKSPACE)
            .bind(partition)
            .fetch_optional(connection)
            .await?;
    Ok(found.unwrap_or(0))
}

async fn apply(
    connection: &mut PgConnection,
    decoded: &Decoded,
    envelope: &Envelope,
    event: &Event,
) -> sqlx::Result<()> {
    match event {
        Event::ApiKeyCreated(created) => sqlx::query(
            "INSERT INTO api_keys (tenant, user_id, org, role, prefix, sha256, created_at, revoked_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, NULL)
             ON CONFLICT (tenant, user_id) DO UPDATE SET org = $3, role = $4, prefix = $5, sha256 = $6, created_at = $7, revoked_at = NULL",
        )
        .bind(&envelope.tenant)
        .bind(&created.user)
        .bind(&created.org)
        .bind(&created.role)
        .bind(&created.prefix)
        .bind(created.sha256.as_slice())
        .bind(envelope.time),
        Event::ApiKeyRevoked(revoked) => {
            sqlx::query("UPDATE api_keys SET revoked_at = $3 WHERE tenant = $1 AND user_id = $2 AND revoked_at IS NULL")
                .bind(&envelope.tenant)
                .bind(&revoked.user)
                .bind(envelope.time)
        }
        Event::PriceTablePublished(table) => sqlx::query(
            "INSERT INTO price_tables (hash, scope, body, published_at, partition_id, at_offset) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (scope, hash) DO UPDATE SET published_at = $4, at_offset = $6",
        )
        .bind(&table.hash)
        .bind(&table.scope)
        .bind(&table.table)
        .bind(envelope.time)
        .bind(decoded.partition)
        .bind(decoded.offset),
        Event::ContentsErased(erased) => {
            for frontier in &erased.upto {
                sqlx::query(
                    "INSERT INTO erased (partition_id, upto, at) VALUES ($1, $2, $3)
                     ON CONFLICT (partition_id) DO UPDATE SET upto = greatest(erased.upto, $2), at = $3",
                )
                .bind(frontier.partition)
                .bind(frontier.offset)
                .bind(envelope.time)
                .execute(&mut *connection)
                .await?;
            }
            return Ok(());
        }
        _ => return Ok(()),
    }
    .execute(connection)
    .await
    .map(|_| ())
}

impl Projection for Workspace {
    type Prepared = Prepared;

    fn name(&self) -> &'static str {
        "workspace"
    }

    async fn ready(&self) -> anyhow::Result<()> {
        self.checkpoints().await.map(drop)
    }

    async fn assign(&mut self, partitions: &[i32]) -> anyhow::Result<Vec<(i32, i64)>> {
        let checkpoints = self.checkpoints().await?;
        let settings = Arc::clone(&self.settings);
        let wanted = partitions.to_vec();
        let checked = tokio::task::spawn_blocking(move || -> anyhow::Result<Vec<_>> {
            let reader = LogReader::new(&settings, topics::WORKSPACE)?;
            let start = |partition| {
                let checkpoint = checkpoints.iter().find(|checkpoint| checkpoint.partition == partition);
                checkpoint.map_or(0, |checkpoint| checkpoint.next_offset)
            };
            let logs = reader.check(&wanted, &checkpoints)?;
            Ok(logs.into_iter().map(|(partition, log)| (partition, start(partition), log)).collect())
        })
        .await??;
        for (partition, _, log) in &checked {
            self.logs.insert(*partition, log.clone());
        }
        Ok(checked.into_iter().map(|(partition, start, _)| (partition, start)).collect())
    }

    fn revoke(&mut self, partitions: &[i32]) {
        for partition in partitions {
            self.logs.remove(partition);
        }
    }

    async fn prepare(&mut self, batch: &[Decoded]) -> anyhow::Result<Prepared> {
        Ok(Prepared(batch.to_vec()))
    }

    async fn commit(&mut self, Prepared(batch): &Prepared) -> anyhow::Result<()> {
        let mut last: HashMap<i32, &Decoded> = HashMap::new();
        for decoded in batch {
            last.insert(decoded.partition, decoded);
        }
        let mut transaction = self.pool.begin().await?;
        sqlx::query(AssertSqlSafe(format!("SET LOCAL search_path TO {}", self.schema)))
            .execute(&mut *transaction)
            .await?;
        let mut partitions: Vec<i32> = last.keys().copied().collect();
        partitions.sort_unstable();
        let mut held: HashMap<i32, i64> = HashMap::new();
        for partition in &partitions {
            held.insert(*partition, lock(&mut transaction, *partition).await?);
        }
        for decoded in batch {
            // Below the checkpoint it is in already: by a commit whose answer was lost, or by another writer.
            let is_new = held.get(&decoded.partition).is_some_and(|next| decoded.offset >= *next);
            if let (Outcome::Event { envelope, event, .. }, true) = (&decoded.outcome, is_new) {
                apply(&mut transaction, decoded, envelope, event).await?;
            }
        }
        for partition in &partitions {
            let decoded =
                last.get(partition).filter(|decoded| held.get(partition).is_none_or(|next| decoded.offset >= *next));
            let Some(decoded) = decoded else { continue };
            let log = self.logs.get(partition).context("a record of a partition that is not assigned")?;
            sqlx::query(
                "INSERT INTO checkpoints (topic, partition_id, next_offset, log_id, partitions, last_event) VALUES ($1, $2, $3, $4, $5, $6)
                 ON CONFLICT (topic, partition_id) DO UPDATE SET next_offset = $3, log_id = $4, partitions = $5, last_event = $6, updated_at = now()",
            )
            .bind(topics::WORKSPACE)
            .bind(partition)
            .bind(decoded.offset + 1)
            .bind(&log.log_id)
            .bind(log.partitions)
            .bind(&decoded.event_id)
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}
