//! Members: whoever has had a bearer token or an API key. The role is that of the last token or current key.

use schemas::Envelope;
use schemas::events::MemberSeen;
use sqlx::PgConnection;

pub async fn seen(connection: &mut PgConnection, envelope: &Envelope, event: &MemberSeen) -> sqlx::Result<()> {
    const AGAIN: &str = "UPDATE SET role = excluded.role,
        last_seen_at = greatest(members.last_seen_at, excluded.last_seen_at)";
    write(connection, envelope, (&event.user, &event.role), AGAIN).await
}

/// A key may be of a lower role than its user.
pub async fn used_key(connection: &mut PgConnection, envelope: &Envelope, user: &str, role: &str) -> sqlx::Result<()> {
    const AGAIN: &str = "UPDATE SET last_seen_at = greatest(members.last_seen_at, excluded.last_seen_at)";
    write(connection, envelope, (user, role), AGAIN).await
}

/// An operator may have made it: the user need not have been here.
pub async fn has_current_key(
    connection: &mut PgConnection,
    envelope: &Envelope,
    user: &str,
    role: &str,
) -> sqlx::Result<()> {
    write(connection, envelope, (user, role), "UPDATE SET role = excluded.role").await
}

pub async fn asked_for_key(
    connection: &mut PgConnection,
    envelope: &Envelope,
    user: &str,
    role: &str,
) -> sqlx::Result<()> {
    write(connection, envelope, (user, role), "NOTHING").await
}

/// `again` is what changes of one that is there.
async fn write(
    connection: &mut PgConnection,
    envelope: &Envelope,
    (user, role): (&str, &str),
    again: &'static str,
) -> sqlx::Result<()> {
    let sql = format!(
        "INSERT INTO members (tenant, user_id, role, first_seen_at, last_seen_at) VALUES ($1, $2, $3, $4, $4)
         ON CONFLICT (tenant, user_id) DO {again}"
    );
    sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(&envelope.tenant)
        .bind(user)
        .bind(role)
        .bind(envelope.time)
        .execute(connection)
        .await
        .map(|_| ())
}
