//! Postgres: the coordination tables, and a schema for each generation of a projection.

use anyhow::Context;
use runtime::Settings;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgPool};

static COORDINATION: sqlx::migrate::Migrator = sqlx::migrate!("./postgres/coordination");
pub(crate) const WORKSPACE: &str = include_str!("../postgres/workspace/0001_workspace.sql");

/// Creates the database that `postgres_url` names, where the server lacks it.
pub async fn create_database(settings: &Settings) -> anyhow::Result<()> {
    let options: PgConnectOptions = settings.postgres_url.parse().context("the setting `postgres_url`")?;
    let Some(name) = options.get_database().map(str::to_owned) else { return Ok(()) };
    let mut admin = options.database("postgres").connect().await.context("Postgres cannot be reached")?;
    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind(&name)
        .fetch_one(&mut admin)
        .await?;
    if !exists {
        let quoted = name.replace('"', "\"\"");
        if let Err(cause) =
            sqlx::query(AssertSqlSafe(format!("CREATE DATABASE \"{quoted}\""))).execute(&mut admin).await
        {
            // Another process may have been quicker.
            if cause.as_database_error().and_then(|error| error.code()).as_deref() != Some("42P04") {
                return Err(cause).context("the Postgres database cannot be created");
            }
        }
    }
    admin.close().await?;
    Ok(())
}

pub async fn coordination(pool: &PgPool) -> anyhow::Result<()> {
    COORDINATION.run(pool).await.context("the Postgres migrations")
}

/// Creates the schema of a generation, whole or not at all.
pub async fn workspace(pool: &PgPool, generation: i32) -> anyhow::Result<()> {
    let schema = runtime::postgres::schema("workspace", generation);
    let mut transaction = pool.begin().await?;
    let connection: &mut PgConnection = &mut transaction;
    sqlx::query("SELECT pg_advisory_xact_lock(hashtext($1))").bind(&schema).execute(&mut *connection).await?;
    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)")
        .bind(&schema)
        .fetch_one(&mut *connection)
        .await?;
    if !exists {
        sqlx::raw_sql(AssertSqlSafe(format!("CREATE SCHEMA {schema}; SET LOCAL search_path TO {schema};")))
            .execute(&mut *connection)
            .await?;
        sqlx::raw_sql(WORKSPACE).execute(&mut *connection).await?;
    }
    transaction.commit().await?;
    Ok(())
}
