//! The Postgres pool.

use std::time::Duration;

use anyhow::Context;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use crate::Settings;

/// Connects when first used: a service starts while Postgres is down and says so in `/readyz`.
pub fn pool(settings: &Settings) -> anyhow::Result<PgPool> {
    PgPoolOptions::new()
        .max_connections(settings.postgres_connections)
        .acquire_timeout(Duration::from_secs(3))
        .connect_lazy(&settings.postgres_url)
        .context("the setting `postgres_url`")
}

/// The schema that holds the live generation of a Postgres projection.
pub async fn live_schema(pool: &PgPool, projection: &str) -> Result<String, sqlx::Error> {
    let generation: i32 = sqlx::query_scalar("SELECT generation FROM generations WHERE projection = $1 AND live")
        .bind(projection)
        .fetch_one(pool)
        .await?;
    Ok(schema(projection, generation))
}

pub fn schema(projection: &str, generation: i32) -> String {
    format!("{projection}_g{generation}")
}
