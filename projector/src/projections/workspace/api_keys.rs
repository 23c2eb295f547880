//! API keys in force: one current key a user, and named ones.

use schemas::Envelope;
use schemas::events::{
    ApiKeyChanged, ApiKeyContent, ApiKeyCreated, ApiKeyIssued, ApiKeyRevoked, ApiKeyUsed, ApiKeyWithdrawn,
};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::outcomes::Outcome;

pub async fn created(connection: &mut PgConnection, envelope: &Envelope, event: &ApiKeyCreated) -> sqlx::Result<()> {
    end_current(connection, envelope, &event.user).await?;
    sqlx::query(
        "INSERT INTO api_keys (tenant, key_id, version, is_current, user_id, org, role, prefix, sha256, scopes, created_at)
         VALUES ($1, $2, 1, true, $3, $4, $5, $6, $7, '{admin}', $8)
         ON CONFLICT (tenant, key_id) DO UPDATE SET user_id = $3, org = $4, role = $5, prefix = $6, created_at = $8,
             last_used_at = NULL",
    )
    .bind(&envelope.tenant)
    .bind(event.key_id())
    .bind(&event.user)
    .bind(&event.org)
    .bind(&event.role)
    .bind(&event.prefix)
    .bind(event.sha256.as_slice())
    .bind(envelope.time)
    .execute(connection)
    .await
    .map(|_| ())
}

pub async fn revoked(connection: &mut PgConnection, envelope: &Envelope, event: &ApiKeyRevoked) -> sqlx::Result<()> {
    end_current(connection, envelope, &event.user).await
}

async fn end_current(connection: &mut PgConnection, envelope: &Envelope, user: &str) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM api_keys WHERE tenant = $1 AND user_id = $2 AND is_current")
        .bind(&envelope.tenant)
        .bind(user)
        .execute(connection)
        .await
        .map(|_| ())
}

pub async fn issued(
    connection: &mut PgConnection,
    envelope: &Envelope,
    event: &ApiKeyIssued,
    content: &ApiKeyContent,
) -> sqlx::Result<Outcome> {
    let Some(id) = uuid(&event.key_id) else { return Ok(Outcome::not_found("API key")) };
    let in_force: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM api_keys
         WHERE tenant = $1 AND user_id = $2 AND NOT is_current AND (expires_at IS NULL OR expires_at > $3)",
    )
    .bind(&envelope.tenant)
    .bind(&event.user)
    .bind(envelope.time)
    .fetch_one(&mut *connection)
    .await?;
    if in_force >= event.at_most {
        let reason =
            format!("There are {in_force} named API keys of this user, the most there may be: revoke one first");
        return Ok(Outcome::taken(reason));
    }
    let inserted = sqlx::query(
        "INSERT INTO api_keys (tenant, key_id, version, is_current, user_id, org, role, name, prefix, sha256, scopes,
                               created_at, expires_at)
         VALUES ($1, $2, 1, false, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING",
    )
    .bind(&envelope.tenant)
    .bind(id)
    .bind(&event.user)
    .bind(&event.org)
    .bind(&event.role)
    .bind(&content.name)
    .bind(&event.prefix)
    .bind(event.sha256.as_slice())
    .bind(&event.scopes)
    .bind(envelope.time)
    .bind(event.expires_at.and_then(time))
    .execute(connection)
    .await?;
    if inserted.rows_affected() == 0 {
        return Ok(Outcome::conflict("An API key with this id exists".to_owned()));
    }
    Ok(Outcome::created(1))
}

pub async fn changed(
    connection: &mut PgConnection,
    envelope: &Envelope,
    event: &ApiKeyChanged,
    content: &ApiKeyContent,
) -> sqlx::Result<Outcome> {
    let current: Option<i64> = sqlx::query_scalar(
        "SELECT version FROM api_keys WHERE tenant = $1 AND key_id = $2 AND user_id = $3 AND NOT is_current",
    )
    .bind(&envelope.tenant)
    .bind(uuid(&event.key_id))
    .bind(&event.user)
    .fetch_optional(&mut *connection)
    .await?;
    let Some(current) = current else { return Ok(Outcome::not_found("API key")) };
    if current != event.version {
        return Ok(Outcome::conflict("The API key was changed at the same time: read it again".to_owned()));
    }
    sqlx::query(
        "UPDATE api_keys SET version = version + 1, scopes = $3, expires_at = $4, name = coalesce($5, name)
         WHERE tenant = $1 AND key_id = $2",
    )
    .bind(&envelope.tenant)
    .bind(uuid(&event.key_id))
    .bind(&event.scopes)
    .bind(event.expires_at.and_then(time))
    .bind(event.content.as_ref().map(|_| content.name.as_str()))
    .execute(connection)
    .await?;
    Ok(Outcome::changed(current + 1))
}

pub async fn withdrawn(
    connection: &mut PgConnection,
    envelope: &Envelope,
    event: &ApiKeyWithdrawn,
) -> sqlx::Result<Outcome> {
    let removed = sqlx::query("DELETE FROM api_keys WHERE tenant = $1 AND key_id = $2 AND user_id = $3")
        .bind(&envelope.tenant)
        .bind(uuid(&event.key_id))
        .bind(&event.user)
        .execute(connection)
        .await?;
    Ok(if removed.rows_affected() == 0 { Outcome::not_found("API key") } else { Outcome::deleted() })
}

/// One that has ended meanwhile is not there.
pub async fn used(connection: &mut PgConnection, envelope: &Envelope, event: &ApiKeyUsed) -> sqlx::Result<()> {
    sqlx::query("UPDATE api_keys SET last_used_at = greatest(last_used_at, $3) WHERE tenant = $1 AND key_id = $2")
        .bind(&envelope.tenant)
        .bind(uuid(&event.key_id))
        .bind(envelope.time)
        .execute(connection)
        .await
        .map(|_| ())
}

/// The command side makes no other ids.
fn uuid(id: &str) -> Option<Uuid> {
    Uuid::try_parse(id).ok()
}

/// From microseconds since 1970.
fn time(micros: i64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000).ok()
}
