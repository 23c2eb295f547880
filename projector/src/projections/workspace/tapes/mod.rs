//! Tapes: published once all their lines are there, then changed only in what is said about them (ADR 0024).

mod parts;
mod views;

use schemas::Envelope;
use schemas::events::tapes::owner;
use schemas::events::{TapeChanged, TapeContent, TapeDeleted, TapeFeatured, TapePublished, TapesErased};
use sqlx::PgConnection;
use uuid::Uuid;

use super::outcomes::Outcome;

pub use parts::part_recorded;
pub use views::viewed;

const WHAT: &str = "Tape";
const TAKEN: &str = "A tape with this id exists";
const NOT_WHOLE: &str = "Some of the tape did not come: send it again";

pub async fn published(
    connection: &mut PgConnection,
    envelope: &Envelope,
    event: &TapePublished,
    content: &TapeContent,
) -> sqlx::Result<Outcome> {
    let Some(id) = uuid(&event.tape_id) else { return Ok(Outcome::not_found(WHAT)) };
    if version(connection, envelope, id).await?.is_some() {
        return Ok(Outcome::conflict(TAKEN.to_owned()));
    }
    let mut left = parts::tidy(connection, envelope, id).await?;
    let came = parts::take(connection, envelope, id).await?;
    let is_whole = came == Some((uuid(&event.snapshot_id).unwrap_or_default(), event.pieces));
    let is_untaped = match &event.trace_id {
        Some(trace) => is_untaped(connection, envelope, trace).await?,
        None => false,
    };
    if is_untaped || !is_whole {
        remove(connection, envelope, id).await?;
        left.push(owner(&event.tape_id));
        let refused = if is_untaped { Outcome::lacks("Trace") } else { Outcome::conflict(NOT_WHOLE.to_owned()) };
        return Ok(refused.leaving(left));
    }
    insert(connection, envelope, (id, event), content).await?;
    Ok(Outcome::created(1).leaving(left))
}

async fn insert(
    connection: &mut PgConnection,
    envelope: &Envelope,
    (id, event): (Uuid, &TapePublished),
    content: &TapeContent,
) -> sqlx::Result<()> {
    let snapshot = content.snapshot.clone().unwrap_or_default();
    sqlx::query(
        "INSERT INTO tapes (tenant, tape_id, version, slug, title, description, tags, is_public, featured, trace_id,
                            steps, sha256, bytes, status, duration_us, tokens, cost, models, views, viewed_on,
                            created_by, created_at, updated_at)
         VALUES ($1, $2, 1, $3, $4, $5, $6, $7, false, $8, $9, $10, $11, $12, $13, $14, $15, $16, 0, 0, $17, $18, $18)",
    )
    .bind(&envelope.tenant)
    .bind(id)
    .bind(&snapshot.slug)
    .bind(content.title.as_deref().unwrap_or_default())
    .bind(content.description.as_deref().unwrap_or_default())
    .bind(content.tags.as_deref().unwrap_or_default())
    .bind(event.is_public)
    .bind(&event.trace_id)
    .bind(event.steps)
    .bind(&snapshot.sha256)
    .bind(snapshot.bytes)
    .bind(&snapshot.status)
    .bind(snapshot.duration_us)
    .bind(snapshot.tokens)
    .bind(&snapshot.cost)
    .bind(&snapshot.models)
    .bind(&content.user_id)
    .bind(envelope.time)
    .execute(connection)
    .await
    .map(|_| ())
}

pub async fn changed(
    connection: &mut PgConnection,
    envelope: &Envelope,
    event: &TapeChanged,
    content: &TapeContent,
) -> sqlx::Result<Outcome> {
    let Some((id, current)) = found(connection, envelope, &event.tape_id).await? else {
        return Ok(Outcome::not_found(WHAT));
    };
    if let Some(asked) = event.if_match.filter(|asked| *asked != current) {
        return Ok(Outcome::stale("tape", asked, current));
    }
    sqlx::query(
        "UPDATE tapes SET version = $3, title = coalesce($4, title), description = coalesce($5, description),
                          tags = coalesce($6, tags), is_public = coalesce($7, is_public), updated_at = $8
         WHERE tenant = $1 AND tape_id = $2",
    )
    .bind(&envelope.tenant)
    .bind(id)
    .bind(current + 1)
    .bind(&content.title)
    .bind(&content.description)
    .bind(&content.tags)
    .bind(event.is_public)
    .bind(envelope.time)
    .execute(connection)
    .await?;
    Ok(Outcome::changed(current + 1))
}

pub async fn deleted(connection: &mut PgConnection, envelope: &Envelope, event: &TapeDeleted) -> sqlx::Result<Outcome> {
    let Some((id, current)) = found(connection, envelope, &event.tape_id).await? else {
        return Ok(Outcome::not_found(WHAT));
    };
    if let Some(asked) = event.if_match.filter(|asked| *asked != current) {
        return Ok(Outcome::stale("tape", asked, current));
    }
    remove(connection, envelope, id).await?;
    Ok(Outcome::deleted())
}

pub async fn featured(
    connection: &mut PgConnection,
    envelope: &Envelope,
    event: &TapeFeatured,
) -> sqlx::Result<Outcome> {
    let Some((id, _)) = found(connection, envelope, &event.tape_id).await? else {
        return Ok(Outcome::lacks(WHAT));
    };
    sqlx::query("UPDATE tapes SET featured = $3 WHERE tenant = $1 AND tape_id = $2")
        .bind(&envelope.tenant)
        .bind(id)
        .bind(event.featured)
        .execute(connection)
        .await?;
    Ok(Outcome::applied())
}

/// Whose content belongs to nothing now.
pub async fn erased(
    connection: &mut PgConnection,
    envelope: &Envelope,
    event: &TapesErased,
) -> sqlx::Result<Vec<String>> {
    sqlx::query("INSERT INTO untaped_traces (tenant, trace_id) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(&envelope.tenant)
        .bind(&event.trace_id)
        .execute(&mut *connection)
        .await?;
    let ids: Vec<Uuid> = sqlx::query_scalar("SELECT tape_id FROM tapes WHERE tenant = $1 AND trace_id = $2")
        .bind(&envelope.tenant)
        .bind(&event.trace_id)
        .fetch_all(&mut *connection)
        .await?;
    for id in &ids {
        remove(connection, envelope, *id).await?;
    }
    Ok(ids.iter().map(|id| owner(&id.to_string())).collect())
}

async fn is_untaped(connection: &mut PgConnection, envelope: &Envelope, trace_id: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar("SELECT EXISTS (SELECT FROM untaped_traces WHERE tenant = $1 AND trace_id = $2)")
        .bind(&envelope.tenant)
        .bind(trace_id)
        .fetch_one(connection)
        .await
}

async fn found(connection: &mut PgConnection, envelope: &Envelope, id: &str) -> sqlx::Result<Option<(Uuid, i64)>> {
    let Some(id) = uuid(id) else { return Ok(None) };
    Ok(version(connection, envelope, id).await?.map(|version| (id, version)))
}

async fn version(connection: &mut PgConnection, envelope: &Envelope, id: Uuid) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar("SELECT version FROM tapes WHERE tenant = $1 AND tape_id = $2")
        .bind(&envelope.tenant)
        .bind(id)
        .fetch_optional(connection)
        .await
}

/// All of a tape, whether it is published or waits.
async fn remove(connection: &mut PgConnection, envelope: &Envelope, id: Uuid) -> sqlx::Result<()> {
    for sql in [
        "DELETE FROM tape_pieces WHERE tenant = $1 AND tape_id = $2",
        "DELETE FROM tape_steps WHERE tenant = $1 AND tape_id = $2",
        "DELETE FROM tape_uploads WHERE tenant = $1 AND tape_id = $2",
        "DELETE FROM tape_views WHERE tenant = $1 AND tape_id = $2",
        "DELETE FROM tape_viewers WHERE tenant = $1 AND tape_id = $2",
        "DELETE FROM tapes WHERE tenant = $1 AND tape_id = $2",
    ] {
        sqlx::query(sql).bind(&envelope.tenant).bind(id).execute(&mut *connection).await?;
    }
    Ok(())
}

/// The command side makes no other ids.
fn uuid(id: &str) -> Option<Uuid> {
    Uuid::try_parse(id).ok()
}
