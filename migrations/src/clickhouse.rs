//! ClickHouse: the tables of one generation, rendered for a single server or a cluster.

use anyhow::Context;
use clickhouse::{Client, Compression};
use runtime::Settings;

pub(crate) const TRACES: &str = include_str!("../clickhouse/traces/0001_tables.sql");
pub(crate) const AUDIT: &str = include_str!("../clickhouse/audit/0001_tables.sql");

/// The tables of the traces projection, without their generation.
pub const TRACES_TABLES: &[&str] = &[
    "traces",
    "trace_list",
    "usage_totals",
    "prompt_uses",
    "trace_counts",
    "trace_models",
    "cost_totals",
    "spans",
    "cells",
    "chunks",
    "feedback",
    "erasures",
    "checkpoints",
];

/// Those of the audit.
pub const AUDIT_TABLES: &[&str] = &["audit_log", "audit_checkpoints"];

/// The projection's client: no setting is left to a default that a server may change.
pub fn client(settings: &Settings) -> Client {
    Client::default()
        .with_url(&settings.clickhouse_url)
        .with_user(&settings.clickhouse_user)
        .with_password(&settings.clickhouse_password)
        .with_database(&settings.clickhouse_database)
        .with_compression(Compression::None)
}

pub async fn create_database(settings: &Settings) -> anyhow::Result<()> {
    let name = quoted(&settings.clickhouse_database);
    let cluster = on_cluster(settings);
    // Without a database of its own: that one may not exist yet.
    let client = Client::default()
        .with_url(&settings.clickhouse_url)
        .with_user(&settings.clickhouse_user)
        .with_password(&settings.clickhouse_password)
        .with_compression(Compression::None);
    client
        .query(&format!("CREATE DATABASE IF NOT EXISTS {name}{cluster} ENGINE = Atomic"))
        .execute()
        .await
        .context("ClickHouse cannot be reached, or refuses the database")
}

/// Makes the tables of a script.
pub async fn create(settings: &Settings, script: &str, generation: i32) -> anyhow::Result<()> {
    let client = client(settings);
    for statement in render(script, settings, generation) {
        client
            .query(&statement)
            .execute()
            .await
            .with_context(|| format!("ClickHouse refuses: {}", first_line(&statement)))?;
    }
    Ok(())
}

pub async fn drop_tables(settings: &Settings, tables: &[&str], generation: i32) -> anyhow::Result<()> {
    let client = client(settings);
    for table in tables {
        let statement = format!("DROP TABLE IF EXISTS {table}_g{generation}{} SYNC", on_cluster(settings));
        client.query(&statement).execute().await?;
    }
    Ok(())
}

/// Of small tables that are read all the time: each part costs a read of every column. Soon there is one, and the new.
const ONE_PART: &str = ", min_age_to_force_merge_seconds = 120";

/// The statements of a script for one generation.
pub fn render(script: &str, settings: &Settings, generation: i32) -> Vec<String> {
    let g = format!("g{generation}");
    // Erased rows leave the disk within seconds of the merge that drops them.
    let merge = ", old_parts_lifetime = 1, cleanup_delay_period = 1, max_cleanup_delay_period = 3, cleanup_delay_period_random_add = 0";
    let text: String =
        script.lines().filter(|line| !line.trim_start().starts_with("--")).collect::<Vec<_>>().join("\n");
    text.split(';')
        .map(str::trim)
        .filter(|statement| !statement.is_empty())
        .map(|statement| {
            let statement = engine(&statement.replace("{g}", &g), settings);
            let statement = statement.replace("{one part}", ONE_PART).replace("{settings}", merge);
            statement.replacen("CREATE TABLE ", "CREATE TABLE IF NOT EXISTS ", 1).replacen(
                " (\n",
                &format!("{} (\n", on_cluster(settings)),
                1,
            )
        })
        .collect()
}

/// `{engine:Name(args)}` → `Name(args)`, or its replicated form.
fn engine(statement: &str, settings: &Settings) -> String {
    let Some((before, rest)) = statement.split_once("{engine:") else { return statement.to_owned() };
    let Some((engine, after)) = rest.split_once('}') else { return statement.to_owned() };
    if settings.clickhouse_cluster.is_empty() {
        return format!("{before}{engine}{after}");
    }
    format!(
        "{before}{}{after}",
        format!("Replicated{engine}").replacen(
            '(',
            "('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', ",
            1
        )
    )
}

fn on_cluster(settings: &Settings) -> String {
    if settings.clickhouse_cluster.is_empty() {
        String::new()
    } else {
        format!(" ON CLUSTER {}", quoted(&settings.clickhouse_cluster))
    }
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

fn first_line(statement: &str) -> &str {
    statement.lines().next().unwrap_or_default()
}
