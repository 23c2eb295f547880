//! Plans: all that was said of a tenant's, and of the subscription that counts what holds now.

use runtime::plans::{COLUMNS, Standing};
use schemas::Envelope;
use schemas::events::PlanChanged;
use sqlx::{AssertSqlSafe, PgConnection};

use super::outcomes::Outcome;

pub async fn changed(connection: &mut PgConnection, envelope: &Envelope, event: &PlanChanged) -> sqlx::Result<Outcome> {
    let sql = format!(
        "SELECT {COLUMNS} FROM plan_changes WHERE tenant = $1 AND subscription_id = $2
         ORDER BY occurred_at DESC, number DESC LIMIT 1"
    );
    let known: Option<Standing> = sqlx::query_as(AssertSqlSafe(sql))
        .bind(&envelope.tenant)
        .bind(&event.subscription_id)
        .fetch_optional(&mut *connection)
        .await?;
    let said = Standing::said(event);
    let standing = said.clone().after(known.as_ref());
    let number = keep(connection, envelope, &event.cause, standing.as_ref().unwrap_or(&said)).await?;
    if standing.is_some() {
        count(connection, &envelope.tenant).await?;
    }
    Ok(Outcome::changed(number))
}

/// Adds to the history; which one it is of the tenant's.
async fn keep(
    connection: &mut PgConnection,
    envelope: &Envelope,
    cause: &str,
    standing: &Standing,
) -> sqlx::Result<i64> {
    let sql = format!(
        "INSERT INTO plan_changes (tenant, number, event_id, cause, received_at, {COLUMNS})
         SELECT $1, coalesce(max(number), 0) + 1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13
         FROM plan_changes WHERE tenant = $1
         RETURNING number"
    );
    sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(&envelope.tenant)
        .bind(envelope.id)
        .bind(cause)
        .bind(envelope.time)
        .bind(&standing.plan)
        .bind(standing.status.as_str())
        .bind(standing.source.as_str())
        .bind(&standing.subscription_id)
        .bind(&standing.customer_id)
        .bind(standing.subscribed_at)
        .bind(standing.occurred_at)
        .bind(standing.since)
        .bind(standing.ends_at)
        .fetch_one(connection)
        .await
}

/// What the tenant has now.
async fn count(connection: &mut PgConnection, tenant: &str) -> sqlx::Result<()> {
    let sql = format!(
        "SELECT DISTINCT ON (subscription_id) {COLUMNS} FROM plan_changes WHERE tenant = $1
         ORDER BY subscription_id, occurred_at DESC, number DESC"
    );
    let standings: Vec<Standing> = sqlx::query_as(AssertSqlSafe(sql)).bind(tenant).fetch_all(&mut *connection).await?;
    let Some(counts) = Standing::that_counts(&standings) else { return Ok(()) };
    let sql = format!(
        "INSERT INTO plans (tenant, {COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT (tenant) DO UPDATE SET
             plan = excluded.plan, status = excluded.status, source = excluded.source,
             subscription_id = excluded.subscription_id, customer_id = excluded.customer_id,
             subscribed_at = excluded.subscribed_at, occurred_at = excluded.occurred_at, since = excluded.since,
             ends_at = excluded.ends_at"
    );
    sqlx::query(AssertSqlSafe(sql))
        .bind(tenant)
        .bind(&counts.plan)
        .bind(counts.status.as_str())
        .bind(counts.source.as_str())
        .bind(&counts.subscription_id)
        .bind(&counts.customer_id)
        .bind(counts.subscribed_at)
        .bind(counts.occurred_at)
        .bind(counts.since)
        .bind(counts.ends_at)
        .execute(connection)
        .await
        .map(drop)
}
