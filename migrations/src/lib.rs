//! Makes the stores and topics what this version expects. Safe to run again, and by several processes at once.

pub mod clickhouse;
pub mod postgres;
pub mod topics;

use runtime::Settings;
use sqlx::PgPool;

/// Everything that must exist before a service starts.
pub async fn migrate(settings: &Settings) -> anyhow::Result<()> {
    topics::create(settings).await?;
    postgres::create_database(settings).await?;
    let pool = runtime::postgres::pool(settings)?;
    postgres::coordination(&pool).await?;
    let workspace = first_generation(&pool, "workspace").await?;
    postgres::workspace(&pool, workspace).await?;
    let traces = first_generation(&pool, "traces").await?;
    clickhouse::create_database(settings).await?;
    clickhouse::traces(settings, traces).await?;
    pool.close().await;
    Ok(())
}

/// The live generation, made live as the first one where there is none.
async fn first_generation(pool: &PgPool, projection: &str) -> anyhow::Result<i32> {
    sqlx::query("INSERT INTO generations (projection, generation, live) VALUES ($1, 1, true) ON CONFLICT DO NOTHING")
        .bind(projection)
        .execute(pool)
        .await?;
    let live = sqlx::query_scalar("SELECT generation FROM generations WHERE projection = $1 AND live")
        .bind(projection)
        .fetch_one(pool)
        .await?;
    Ok(live)
}
