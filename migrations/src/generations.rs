//! The live generation of each projection, and whether its tables are those of this version.

use runtime::Settings;
use sqlx::{AssertSqlSafe, PgPool};

use crate::{clickhouse, postgres};

/// How the live generation stands to this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    Current,
    /// It took the place of another version's and has not come to the log's end yet.
    Filling,
    /// Another version has made its tables; they are left alone.
    Outdated,
}

/// Makes the live generation of a projection, the first one where there is none.
pub(crate) async fn live(settings: &Settings, pool: &PgPool, projection: &str) -> anyhow::Result<Layout> {
    let layout = layout(projection);
    sqlx::query(
        "INSERT INTO generations (projection, generation, live, layout) VALUES ($1, 1, true, $2) ON CONFLICT DO NOTHING",
    )
    .bind(projection)
    .bind(&layout)
    .execute(pool)
    .await?;
    let (generation, made, filling): (i32, Option<String>, bool) =
        sqlx::query_as("SELECT generation, layout, filling FROM generations WHERE projection = $1 AND live")
            .bind(projection)
            .fetch_one(pool)
            .await?;
    if made.as_deref() != Some(layout.as_str()) {
        return Ok(Layout::Outdated);
    }
    tables(settings, pool, projection, generation).await?;
    Ok(if filling { Layout::Filling } else { Layout::Current })
}

/// The projections that took another version's place have come to the log's end: only now are the old tables dropped.
pub async fn filled(settings: &Settings, pool: &PgPool) -> anyhow::Result<()> {
    let old: Vec<(String, i32)> = sqlx::query_as(
        "SELECT projection, generation FROM generations WHERE retired
         AND projection IN (SELECT projection FROM generations WHERE live AND filling)",
    )
    .fetch_all(pool)
    .await?;
    for (projection, generation) in old {
        drop_tables(settings, pool, &projection, generation).await?;
    }
    sqlx::query("UPDATE generations SET filling = false WHERE filling").execute(pool).await?;
    Ok(())
}

/// A new generation beside the live one, for a rebuild to fill.
pub async fn next(settings: &Settings, pool: &PgPool, projection: &str) -> anyhow::Result<i32> {
    let next = number_of_next(pool, projection).await?;
    tables(settings, pool, projection, next).await?;
    sqlx::query("INSERT INTO generations (projection, generation, live, layout) VALUES ($1, $2, false, $3)")
        .bind(projection)
        .bind(next)
        .bind(layout(projection))
        .execute(pool)
        .await?;
    Ok(next)
}

/// Drops the tables of a generation.
pub async fn drop_tables(settings: &Settings, pool: &PgPool, projection: &str, generation: i32) -> anyhow::Result<()> {
    match projection {
        "traces" => clickhouse::drop_tables(settings, clickhouse::TRACES_TABLES, generation).await,
        "audit" => clickhouse::drop_tables(settings, clickhouse::AUDIT_TABLES, generation).await,
        _ => {
            let schema = runtime::postgres::schema(projection, generation);
            sqlx::query(AssertSqlSafe(format!("DROP SCHEMA IF EXISTS {schema} CASCADE"))).execute(pool).await?;
            Ok(())
        }
    }
}

/// A new generation in the place of an outdated one, to be filled from the log. Nothing may read or write either meanwhile.
pub async fn replace(settings: &Settings, pool: &PgPool, projection: &str) -> anyhow::Result<()> {
    let next = number_of_next(pool, projection).await?;
    tracing::warn!(projection, generation = next, "the tables are another version's; they are made anew from the log");
    tables(settings, pool, projection, next).await?;
    let mut transaction = pool.begin().await?;
    // One that a rebuild was filling is outdated too.
    sqlx::query("UPDATE generations SET live = false, retired = true WHERE projection = $1 AND NOT retired")
        .bind(projection)
        .execute(&mut *transaction)
        .await?;
    sqlx::query(
        "INSERT INTO generations (projection, generation, live, layout, filling) VALUES ($1, $2, true, $3, true)",
    )
    .bind(projection)
    .bind(next)
    .bind(layout(projection))
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(())
}

async fn number_of_next(pool: &PgPool, projection: &str) -> anyhow::Result<i32> {
    let next = sqlx::query_scalar("SELECT max(generation) + 1 FROM generations WHERE projection = $1");
    Ok(next.bind(projection).fetch_one(pool).await?)
}

async fn tables(settings: &Settings, pool: &PgPool, projection: &str, generation: i32) -> anyhow::Result<()> {
    match projection {
        "traces" => clickhouse::create(settings, clickhouse::TRACES, generation).await,
        "audit" => clickhouse::create(settings, clickhouse::AUDIT, generation).await,
        _ => postgres::workspace(pool, generation).await,
    }
}

/// Names the tables that this version gives a projection.
fn layout(projection: &str) -> String {
    let script = match projection {
        "traces" => clickhouse::TRACES,
        "audit" => clickhouse::AUDIT,
        _ => postgres::WORKSPACE,
    };
    format!("{:016x}", xxhash_rust::xxh3::xxh3_64(script.as_bytes()))
}
