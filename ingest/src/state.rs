//! What the handlers share.

use std::sync::Arc;
use std::time::{Duration, Instant};

use runtime::position::{Record, Signer};
use runtime::{Problem, Settings};
use sqlx::{AssertSqlSafe, PgPool};

use crate::ask::Ask;
use crate::in_force::InForce;
use crate::llm::Llm;
use crate::publish::{Publisher, SealingKeys};

#[derive(Clone)]
pub struct AppState {
    pub settings: Arc<Settings>,
    pub publisher: Publisher,
    pub sealing_keys: Arc<SealingKeys>,
    pub in_force: Arc<InForce>,
    pub ask: Arc<Ask>,
    /// Where one is configured.
    pub llm: Option<Arc<Llm>>,
    pub pool: PgPool,
    pub signer: Signer,
}

const PROJECTED_WITHIN: Duration = Duration::from_secs(5);

impl AppState {
    /// Commands whose outcome is seen in Postgres are refused while it is down, before anything is appended.
    pub async fn workspace_reachable(&self) -> Result<(), Problem> {
        sqlx::query("SELECT 1")
            .execute(&self.pool)
            .await
            .map(|_| ())
            .map_err(|cause| Problem::store_down("Postgres", cause))
    }

    /// Waits, bounded, until the workspace projection has applied a record, so that every node can read it.
    pub async fn projected(&self, record: Record) {
        let deadline = Instant::now() + PROJECTED_WITHIN;
        loop {
            match self.workspace_checkpoint(record.partition).await {
                Ok(next) if next > record.offset => return,
                Ok(_) => {}
                Err(cause) => tracing::warn!(%cause, "the workspace checkpoint cannot be read"),
            }
            if Instant::now() > deadline {
                tracing::warn!(partition = record.partition, offset = record.offset, "the workspace projection lags");
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The least of those that are read: during a switch of generations readers may be on either.
    async fn workspace_checkpoint(&self, partition: i32) -> Result<i64, sqlx::Error> {
        let mut least = i64::MAX;
        for schema in runtime::postgres::read_schemas(&self.pool, "workspace").await? {
            let next: Option<i64> = sqlx::query_scalar(AssertSqlSafe(format!(
                "SELECT next_offset FROM {schema}.checkpoints WHERE topic = 'retrace.workspace' AND partition_id = $1"
            )))
            .bind(partition)
            .fetch_optional(&self.pool)
            .await?;
            least = least.min(next.unwrap_or(0));
        }
        Ok(least)
    }
}
