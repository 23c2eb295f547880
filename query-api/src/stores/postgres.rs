//! Postgres: the live generation of the workspace projection.

use std::sync::Arc;

use runtime::Problem;
use runtime::auth::Principal;
use runtime::postgres::schema;
use sqlx::{AssertSqlSafe, PgPool};

use super::{Generations, Tapes, Workspace};

#[derive(Clone)]
pub struct Postgres {
    pool: PgPool,
    generations: Arc<Generations>,
}

/// A table in force.
#[derive(sqlx::FromRow)]
pub struct PriceTable {
    /// Empty: every tenant's.
    pub scope: String,
    pub hash: String,
}

impl Postgres {
    pub fn new(pool: PgPool, generations: Arc<Generations>) -> Postgres {
        Postgres { pool, generations }
    }

    async fn schema(&self) -> Result<String, Problem> {
        Ok(schema("workspace", self.generations.live("workspace").await?))
    }

    /// The caller's rows.
    pub async fn of(&self, principal: &Principal) -> Result<Workspace, Problem> {
        Ok(Workspace::new(self.pool.clone(), self.schema().await?, principal.tenant.clone()))
    }

    /// What is published, whoever asks.
    pub async fn tapes(&self) -> Result<Tapes, Problem> {
        Ok(Tapes::new(self.pool.clone(), self.schema().await?))
    }

    pub async fn checkpoints(&self) -> Result<Vec<(i32, i64)>, Problem> {
        let sql = format!("SELECT partition_id, next_offset FROM {}.checkpoints", self.schema().await?);
        sqlx::query_as(AssertSqlSafe(sql))
            .fetch_all(&self.pool)
            .await
            .map_err(|cause| Problem::store_down("Postgres", cause))
    }

    /// Those in force for the caller, their own first.
    pub async fn price_tables(&self, principal: &Principal) -> Result<Vec<PriceTable>, Problem> {
        let sql = format!(
            "SELECT DISTINCT ON (scope) scope, hash FROM {}.price_tables WHERE scope IN ($1, '')
             ORDER BY scope DESC, at_offset DESC",
            self.schema().await?
        );
        sqlx::query_as(AssertSqlSafe(sql))
            .bind(&principal.tenant)
            .fetch_all(&self.pool)
            .await
            .map_err(|cause| Problem::store_down("Postgres", cause))
    }

    /// The text of a table that is in force for the caller, packed by zstd.
    pub async fn price_table(&self, principal: &Principal, hash: &str) -> Result<Option<Vec<u8>>, Problem> {
        let sql = format!(
            "SELECT body FROM {}.price_tables WHERE hash = $1 AND scope IN ($2, '') LIMIT 1",
            self.schema().await?
        );
        sqlx::query_scalar(AssertSqlSafe(sql))
            .bind(hash)
            .bind(&principal.tenant)
            .fetch_optional(&self.pool)
            .await
            .map_err(|cause| Problem::store_down("Postgres", cause))
    }
}
