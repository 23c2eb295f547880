//! `retrace plans`.

use anyhow::Context;
use ingest::system::System;
use runtime::Settings;
use runtime::http::rfc3339;
use runtime::plans::{COLUMNS, Standing};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, FromRow, PgPool, Row};
use time::OffsetDateTime;

use crate::cli::PlansCommand;

#[expect(clippy::print_stdout, reason = "the command line talks to its user")]
pub async fn run(settings: &Settings, command: PlansCommand) -> anyhow::Result<()> {
    let pool = runtime::postgres::pool(settings)?;
    let system = System { settings, pool: &pool };
    match command {
        PlansCommand::Set { tenant, plan } => {
            system.set_plan(&tenant, Some(&plan)).await?;
            println!("{tenant} has {plan}");
        }
        PlansCommand::Clear { tenant } => {
            system.set_plan(&tenant, None).await?;
            println!("{tenant} has what it pays for, else {}", settings.plan_default);
        }
        PlansCommand::List { tenant: None } => print!("{}", table(&current(&pool).await?)),
        PlansCommand::List { tenant: Some(tenant) } => print!("{}", table(&history(&pool, &tenant).await?)),
    }
    Ok(())
}

const CURRENT: [&str; 6] = ["tenant", "plan", "status", "since", "until", "by"];
const HISTORY: [&str; 6] = ["occurred", "plan", "status", "until", "by", "cause"];

/// What tenants have of whom something was said.
async fn current(pool: &PgPool) -> anyhow::Result<Vec<[String; 6]>> {
    let schema = runtime::postgres::live_schema(pool, "workspace").await.context("Postgres cannot be read")?;
    let sql = format!("SELECT tenant, {COLUMNS} FROM {schema}.plans ORDER BY tenant");
    let now = OffsetDateTime::now_utc();
    let shown = |row: &PgRow| -> sqlx::Result<[String; 6]> {
        let standing = Standing::from_row(row)?;
        let status = if standing.holds(now) { standing.status.as_str() } else { "ended" };
        let since = rfc3339(standing.since);
        Ok([row.try_get("tenant")?, standing.plan.clone(), status.to_owned(), since, until(&standing), by(&standing)])
    };
    rows(pool, &sql, &[], CURRENT, shown).await
}

/// All that was said of one.
async fn history(pool: &PgPool, tenant: &str) -> anyhow::Result<Vec<[String; 6]>> {
    let schema = runtime::postgres::live_schema(pool, "workspace").await.context("Postgres cannot be read")?;
    let sql = format!("SELECT cause, {COLUMNS} FROM {schema}.plan_changes WHERE tenant = $1 ORDER BY number");
    let shown = |row: &PgRow| -> sqlx::Result<[String; 6]> {
        let standing = Standing::from_row(row)?;
        let (occurred, status) = (rfc3339(standing.occurred_at), standing.status.as_str().to_owned());
        Ok([occurred, standing.plan.clone(), status, until(&standing), by(&standing), row.try_get("cause")?])
    };
    rows(pool, &sql, &[tenant], HISTORY, shown).await
}

async fn rows(
    pool: &PgPool,
    sql: &str,
    bound: &[&str],
    heading: [&str; 6],
    shown: impl Fn(&PgRow) -> sqlx::Result<[String; 6]>,
) -> anyhow::Result<Vec<[String; 6]>> {
    let mut query = sqlx::query(AssertSqlSafe(sql.to_owned()));
    for value in bound {
        query = query.bind((*value).to_owned());
    }
    let mut rows = vec![heading.map(str::to_owned)];
    for row in &query.fetch_all(pool).await? {
        rows.push(shown(row)?);
    }
    Ok(rows)
}

fn until(standing: &Standing) -> String {
    standing.ends_at.map(rfc3339).unwrap_or_default()
}

fn by(standing: &Standing) -> String {
    let by = standing.source.as_str();
    if standing.subscription_id.is_empty() { by.to_owned() } else { format!("{by} {}", standing.subscription_id) }
}

fn table(rows: &[[String; 6]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..6).map(width).collect();
    let line = |row: &[String; 6]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}
