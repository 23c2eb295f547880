//! The Postgres pool.

use std::time::Duration;

use anyhow::Context;
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::Settings;

/// Connects when first used: a service starts while Postgres is down and says so in `/readyz`.
pub fn pool(settings: &Settings) -> anyhow::Result<PgPool> {
    let options: PgConnectOptions = settings.postgres_url.parse().context("the setting `postgres_url`")?;
    Ok(PgPoolOptions::new()
        .max_connections(settings.postgres_connections)
        .acquire_timeout(Duration::from_secs(3))
        // The default is that of a turning disk: with it a page of a list may be had by reading a whole table.
        .connect_lazy_with(options.options([("random_page_cost", "1.1")])))
}

/// Nobody answered: another time it may be otherwise.
pub fn is_away(cause: &sqlx::Error) -> bool {
    matches!(cause, sqlx::Error::PoolTimedOut | sqlx::Error::Io(_))
}

/// The schema that holds the live generation of a Postgres projection.
pub async fn live_schema(pool: &PgPool, projection: &str) -> Result<String, sqlx::Error> {
    let generation: i32 = sqlx::query_scalar("SELECT generation FROM generations WHERE projection = $1 AND live")
        .bind(projection)
        .fetch_one(pool)
        .await?;
    Ok(schema(projection, generation))
}

/// The schemas that somebody may be reading: the live one's, and those it has just taken over from.
pub async fn read_schemas(pool: &PgPool, projection: &str) -> Result<Vec<String>, sqlx::Error> {
    let generations: Vec<i32> = sqlx::query_scalar(
        "SELECT generation FROM generations WHERE projection = $1 AND NOT retired
         AND generation <= (SELECT generation FROM generations WHERE projection = $1 AND live)",
    )
    .bind(projection)
    .fetch_all(pool)
    .await?;
    Ok(generations.into_iter().map(|generation| schema(projection, generation)).collect())
}

pub fn schema(projection: &str, generation: i32) -> String {
    format!("{projection}_g{generation}")
}
