//! What Postgres notes of content that belongs to no resource any more, in one generation.

use anyhow::Context;
use runtime::postgres::schema;
use sqlx::{AssertSqlSafe, PgPool};

use super::keys::Owner;

/// One batch holds about this many.
const BATCH: i64 = 1_000;

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Pending {
    pub partition_id: i32,
    pub at_offset: i64,
    pub tenant: String,
    /// `skills/9debeeaf-…`
    pub resource: String,
}

impl Pending {
    pub fn owner(&self) -> Owner {
        Owner { partition: self.partition_id, tenant: self.tenant.clone(), name: self.resource.clone() }
    }
}

pub struct Queue<'a> {
    pool: &'a PgPool,
    schema: String,
}

impl<'a> Queue<'a> {
    pub fn new(pool: &'a PgPool, generation: i32) -> Queue<'a> {
        Queue { pool, schema: schema("workspace", generation) }
    }

    /// Each was written with the checkpoint behind it, and the rows of the resource went in the same transaction. A batch
    /// takes all of a place, so that what lies before the place after it can be said to be erased.
    pub async fn pending(&self) -> anyhow::Result<Vec<Pending>> {
        let sql = format!(
            "SELECT partition_id, at_offset, tenant, resource FROM {}.erasures
             ORDER BY partition_id, at_offset FETCH FIRST $1 ROWS WITH TIES",
            self.schema
        );
        sqlx::query_as(AssertSqlSafe(sql))
            .bind(BATCH)
            .fetch_all(self.pool)
            .await
            .context("the erasures of resources cannot be read")
    }

    pub async fn done(&self, pending: &[Pending]) -> anyhow::Result<()> {
        let (partitions, offsets): (Vec<i32>, Vec<i64>) =
            pending.iter().map(|row| (row.partition_id, row.at_offset)).unzip();
        let sql = format!(
            "DELETE FROM {}.erasures WHERE (partition_id, at_offset) IN (SELECT * FROM unnest($1::int[], $2::bigint[]))",
            self.schema
        );
        sqlx::query(AssertSqlSafe(sql)).bind(partitions).bind(offsets).execute(self.pool).await?;
        Ok(())
    }
}
