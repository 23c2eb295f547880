//! The discussion of a trace: what bounds it, and its end with the trace.

use schemas::Envelope;
use schemas::events::DiscussionClosed;
use sqlx::PgConnection;
use uuid::Uuid;

#[derive(Default, sqlx::FromRow)]
pub struct Discussion {
    pub comments: i64,
    pub assignments: i64,
    pub is_closed: bool,
}

pub async fn of(connection: &mut PgConnection, tenant: &str, trace_id: &str) -> sqlx::Result<Discussion> {
    let sql = "SELECT comments, assignments, is_closed FROM discussions WHERE tenant = $1 AND trace_id = $2";
    let found = sqlx::query_as(sql).bind(tenant).bind(trace_id).fetch_optional(connection).await?;
    Ok(found.unwrap_or_default())
}

/// So many comments and assignments more.
pub async fn count(
    connection: &mut PgConnection,
    tenant: &str,
    trace_id: &str,
    (comments, assignments): (i64, i64),
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO discussions (tenant, trace_id, comments, assignments, is_closed) VALUES ($1, $2, $3, $4, false)
         ON CONFLICT (tenant, trace_id) DO UPDATE
         SET comments = discussions.comments + $3, assignments = discussions.assignments + $4",
    )
    .bind(tenant)
    .bind(trace_id)
    .bind(comments)
    .bind(assignments)
    .execute(connection)
    .await
    .map(|_| ())
}

/// Whose sealed content belongs to nothing now.
pub async fn closed(
    connection: &mut PgConnection,
    envelope: &Envelope,
    event: &DiscussionClosed,
) -> sqlx::Result<Vec<String>> {
    let (tenant, trace_id) = (&envelope.tenant, &event.trace_id);
    let mut left = Vec::new();
    for (sql, noun) in [
        ("DELETE FROM comments WHERE tenant = $1 AND trace_id = $2 RETURNING comment_id", "comments"),
        ("DELETE FROM assignments WHERE tenant = $1 AND trace_id = $2 RETURNING assignment_id", "assignments"),
    ] {
        let ids: Vec<Uuid> = sqlx::query_scalar(sql).bind(tenant).bind(trace_id).fetch_all(&mut *connection).await?;
        left.extend(ids.into_iter().map(|id| format!("{noun}/{id}")));
    }
    for sql in [
        "DELETE FROM notifications WHERE tenant = $1 AND trace_id = $2",
        "INSERT INTO discussions (tenant, trace_id, comments, assignments, is_closed) VALUES ($1, $2, 0, 0, true)
         ON CONFLICT (tenant, trace_id) DO UPDATE SET comments = 0, assignments = 0, is_closed = true",
    ] {
        sqlx::query(sql).bind(tenant).bind(trace_id).execute(&mut *connection).await?;
    }
    Ok(left)
}
