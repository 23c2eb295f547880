//! Postgres: the live generation of the workspace projection.

use std::sync::Arc;

use runtime::Problem;
use runtime::auth::Principal;
use runtime::postgres::schema;
use sqlx::{AssertSqlSafe, PgPool};
use time::OffsetDateTime;

use super::Generations;

#[derive(Clone)]
pub struct Postgres {
    pool: PgPool,
    generations: Arc<Generations>,
}

#[derive(sqlx::FromRow)]
pub struct ApiKey {
    pub prefix: String,
    pub created_at: OffsetDateTime,
}

impl Postgres {
    pub fn new(pool: PgPool, generations: Arc<Generations>) -> Postgres {
        Postgres { pool, generations }
    }

    async fn schema(&self) -> Result<String, Problem> {
        Ok(schema("workspace", self.generations.live("workspace").await?))
    }

    pub async fn checkpoints(&self) -> Result<Vec<(i32, i64)>, Problem> {
        let sql = format!("SELECT partition_id, next_offset FROM {}.checkpoints", self.schema().await?);
        sqlx::query_as(AssertSqlSafe(sql))
            .fetch_all(&self.pool)
            .await
            .map_err(|cause| Problem::store_down("Postgres", cause))
    }

    pub async fn api_key(&self, principal: &Principal) -> Result<Option<ApiKey>, Problem> {
        let sql = format!(
            "SELECT prefix, created_at FROM {}.api_keys WHERE tenant = $1 AND user_id = $2 AND revoked_at IS NULL",
            self.schema().await?
        );
        sqlx::query_as(AssertSqlSafe(sql))
            .bind(&principal.tenant)
            .bind(&principal.user)
            .fetch_optional(&self.pool)
            .await
            .map_err(|cause| Problem::store_down("Postgres", cause))
    }
}
