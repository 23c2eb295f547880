//! API keys: one current key a user.

use schemas::Envelope;
use schemas::events::{ApiKeyCreated, ApiKeyRevoked};
use sqlx::PgConnection;

pub async fn created(connection: &mut PgConnection, envelope: &Envelope, event: &ApiKeyCreated) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO api_keys (tenant, user_id, org, role, prefix, sha256, created_at, revoked_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, NULL)
         ON CONFLICT (tenant, user_id) DO UPDATE SET org = $3, role = $4, prefix = $5, sha256 = $6, created_at = $7, revoked_at = NULL",
    )
    .bind(&envelope.tenant)
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
    sqlx::query("UPDATE api_keys SET revoked_at = $3 WHERE tenant = $1 AND user_id = $2 AND revoked_at IS NULL")
        .bind(&envelope.tenant)
        .bind(&event.user)
        .bind(envelope.time)
        .execute(connection)
        .await
        .map(|_| ())
}
