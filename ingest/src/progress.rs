//! Waits until the workspace projection has applied what was written.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use runtime::position::Record;
use runtime::{flushes, progress};
use schemas::topics;
use sqlx::{AssertSqlSafe, PgPool};

const WITHIN: Duration = Duration::from_secs(5);
const SHARED: Duration = Duration::from_millis(20);

pub struct Progress {
    pool: PgPool,
    workspace: progress::Progress,
}

impl Progress {
    pub fn new(pool: PgPool) -> Progress {
        Progress { pool, workspace: progress::Progress::default() }
    }

    /// Waits, bounded, until a record is applied, so that every node can read it; whether it is.
    pub async fn reaches(&self, record: Record) -> bool {
        let deadline = Instant::now() + WITHIN;
        loop {
            let flushed = flushes::count();
            match self.workspace.has_reached(record, SHARED, self.checkpoints()).await {
                Ok(true) => return true,
                Ok(false) => {}
                Err(cause) => tracing::warn!(%cause, "the workspace checkpoint cannot be read"),
            }
            if Instant::now() > deadline {
                tracing::warn!(partition = record.partition, offset = record.offset, "the workspace projection lags");
                return false;
            }
            flushes::next(flushed, SHARED).await;
        }
    }

    /// The least of the generations that are read: during a switch readers may be on either.
    async fn checkpoints(&self) -> Result<HashMap<i32, i64>, sqlx::Error> {
        let mut generations = Vec::new();
        for schema in runtime::postgres::read_schemas(&self.pool, "workspace").await? {
            let sql = format!("SELECT partition_id, next_offset FROM {schema}.checkpoints WHERE topic = $1");
            let rows: Vec<(i32, i64)> =
                sqlx::query_as(AssertSqlSafe(sql)).bind(topics::WORKSPACE).fetch_all(&self.pool).await?;
            generations.push(rows.into_iter().collect::<HashMap<_, _>>());
        }
        let least = |partition| {
            let next = generations.iter().map(|next| next.get(&partition).copied().unwrap_or_default()).min();
            (partition, next.unwrap_or_default())
        };
        Ok((0..topics::PARTITIONS).map(least).collect())
    }
}
