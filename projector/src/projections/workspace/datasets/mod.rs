//! Datasets: each change makes a version, and items are kept as they were in every one (ADR 0017).

mod imports;
mod items;

use schemas::Envelope;
use schemas::events::{DatasetChanged, DatasetContent, DatasetCreated, DatasetDeleted};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::outcomes::Outcome;

pub use imports::items_imported;
pub use items::{item_added, item_changed, item_deleted};

const TAKEN: &str = "A dataset of this name exists";

pub async fn created(
    connection: &mut PgConnection,
    envelope: &Envelope,
    event: &DatasetCreated,
    content: &DatasetContent,
) -> sqlx::Result<Outcome> {
    let Some(id) = uuid(&event.dataset_id) else { return Ok(Outcome::not_found("Dataset")) };
    if found(connection, envelope, &event.dataset_id).await?.is_some() {
        return Ok(Outcome::conflict("A dataset with this id exists".to_owned()));
    }
    let inserted = sqlx::query(
        "INSERT INTO datasets (tenant, dataset_id, name_hash, name, description, version, item_count, last_position,
                               created_by, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, 0, 0, 0, $6, $7, $7) ON CONFLICT (tenant, name_hash) DO NOTHING",
    )
    .bind(&envelope.tenant)
    .bind(id)
    .bind(event.name_hash.as_slice())
    .bind(content.name.as_deref().unwrap_or_default())
    .bind(content.description.as_deref().unwrap_or_default())
    .bind(&content.user_id)
    .bind(envelope.time)
    .execute(&mut *connection)
    .await?;
    if inserted.rows_affected() == 0 {
        return Ok(Outcome::taken(TAKEN.to_owned()));
    }
    let of = Dataset { tenant: &envelope.tenant, id, version: 0, item_count: 0, last_position: 0 };
    Ok(Outcome::created(of.next(connection, "created", (0, 0), envelope.time).await?))
}

pub async fn changed(
    connection: &mut PgConnection,
    envelope: &Envelope,
    event: &DatasetChanged,
    content: &DatasetContent,
) -> sqlx::Result<Outcome> {
    let Some(of) = found(connection, envelope, &event.dataset_id).await? else {
        return Ok(Outcome::not_found("Dataset"));
    };
    if let Some(asked) = event.if_match.filter(|asked| *asked != of.version) {
        return Ok(Outcome::stale("dataset", asked, of.version));
    }
    let name_hash = event.name_hash.as_ref().map(|hash| hash.as_slice());
    if let Some(name_hash) = name_hash {
        let sql = "SELECT EXISTS (SELECT FROM datasets WHERE tenant = $1 AND name_hash = $2 AND dataset_id <> $3)";
        let query = sqlx::query_scalar(sql).bind(of.tenant).bind(name_hash).bind(of.id);
        if query.fetch_one(&mut *connection).await? {
            return Ok(Outcome::conflict(TAKEN.to_owned()));
        }
    }
    sqlx::query(
        "UPDATE datasets SET name_hash = coalesce($3, name_hash), name = coalesce($4, name),
                             description = coalesce($5, description)
         WHERE tenant = $1 AND dataset_id = $2",
    )
    .bind(of.tenant)
    .bind(of.id)
    .bind(name_hash)
    .bind(&content.name)
    .bind(&content.description)
    .execute(&mut *connection)
    .await?;
    let items = (of.item_count, of.last_position);
    Ok(Outcome::changed(of.next(connection, "changed", items, envelope.time).await?))
}

pub async fn deleted(
    connection: &mut PgConnection,
    envelope: &Envelope,
    event: &DatasetDeleted,
) -> sqlx::Result<Outcome> {
    let Some(of) = found(connection, envelope, &event.dataset_id).await? else {
        return Ok(Outcome::not_found("Dataset"));
    };
    if let Some(asked) = event.if_match.filter(|asked| *asked != of.version) {
        return Ok(Outcome::stale("dataset", asked, of.version));
    }
    for sql in [
        "DELETE FROM dataset_imports WHERE tenant = $1 AND dataset_id = $2",
        "DELETE FROM dataset_items WHERE tenant = $1 AND dataset_id = $2",
        "DELETE FROM dataset_versions WHERE tenant = $1 AND dataset_id = $2",
        "DELETE FROM datasets WHERE tenant = $1 AND dataset_id = $2",
    ] {
        sqlx::query(sql).bind(of.tenant).bind(of.id).execute(&mut *connection).await?;
    }
    Ok(Outcome::deleted())
}

/// Nobody else changes it: the partition's checkpoint is locked.
struct Dataset<'a> {
    tenant: &'a str,
    id: Uuid,
    version: i64,
    item_count: i64,
    last_position: i64,
}

async fn found<'a>(
    connection: &mut PgConnection,
    envelope: &'a Envelope,
    id: &str,
) -> sqlx::Result<Option<Dataset<'a>>> {
    let Some(id) = uuid(id) else { return Ok(None) };
    let sql = "SELECT version, item_count, last_position FROM datasets WHERE tenant = $1 AND dataset_id = $2";
    let row: Option<(i64, i64, i64)> =
        sqlx::query_as(sql).bind(&envelope.tenant).bind(id).fetch_optional(connection).await?;
    let tenant = envelope.tenant.as_str();
    Ok(row.map(|(version, item_count, last_position)| Dataset { tenant, id, version, item_count, last_position }))
}

impl Dataset<'_> {
    /// Its next version, with so many items up to a position.
    async fn next(
        &self,
        connection: &mut PgConnection,
        change: &str,
        (item_count, last_position): (i64, i64),
        at: OffsetDateTime,
    ) -> sqlx::Result<i64> {
        let version = self.version + 1;
        sqlx::query(
            "UPDATE datasets SET version = $3, item_count = $4, last_position = $5, updated_at = $6
             WHERE tenant = $1 AND dataset_id = $2",
        )
        .bind(self.tenant)
        .bind(self.id)
        .bind(version)
        .bind(item_count)
        .bind(last_position)
        .bind(at)
        .execute(&mut *connection)
        .await?;
        sqlx::query(
            "INSERT INTO dataset_versions (tenant, dataset_id, version, change, item_count, last_position, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(self.tenant)
        .bind(self.id)
        .bind(version)
        .bind(change)
        .bind(item_count)
        .bind(last_position)
        .bind(at)
        .execute(connection)
        .await?;
        Ok(version)
    }
}

/// The dataset has as many items as it may.
fn full(most: i64) -> String {
    format!("A dataset has at most {most} items")
}

/// The command side makes no other ids.
fn uuid(id: &str) -> Option<Uuid> {
    Uuid::try_parse(id).ok()
}
