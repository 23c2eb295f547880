//! Price tables by scope and hash.

use anyhow::Context;
use runtime::postgres::live_schema;
use schemas::Envelope;
use schemas::events::PriceTablePublished;
use sqlx::{AssertSqlSafe, PgConnection, PgPool};

/// The text of a price table, if the live generation has it.
pub async fn text(pool: &PgPool, hash: &str) -> anyhow::Result<Option<String>> {
    let schema = live_schema(pool, "workspace").await?;
    let sql = format!("SELECT body FROM {schema}.price_tables WHERE hash = $1 LIMIT 1");
    let body: Option<Vec<u8>> = sqlx::query_scalar(AssertSqlSafe(sql)).bind(hash).fetch_optional(pool).await?;
    body.map(|body| {
        let text = zstd::bulk::decompress(&body, 64 << 20).context("a price table cannot be decompressed")?;
        Ok(String::from_utf8(text)?)
    })
    .transpose()
}

pub async fn published(
    connection: &mut PgConnection,
    envelope: &Envelope,
    (partition, offset): (i32, i64),
    table: &PriceTablePublished,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO price_tables (hash, scope, body, published_at, partition_id, at_offset) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (scope, hash) DO UPDATE SET published_at = $4, at_offset = $6",
    )
    .bind(&table.hash)
    .bind(&table.scope)
    .bind(&table.table)
    .bind(envelope.time)
    .bind(partition)
    .bind(offset)
    .execute(connection)
    .await
    .map(|_| ())
}
