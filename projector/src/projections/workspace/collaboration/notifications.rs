//! Notifications: at most one of an event for each user that it concerns, and the newest thousand of each user.

use schemas::events::NotificationsRead;
use schemas::{Envelope, ids};
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use super::super::outcomes::Outcome;
use super::uuid;

const MOST_OF_A_USER: i64 = 1_000;

#[derive(Clone, Copy)]
pub enum Kind {
    Mention,
    Reply,
    Assignment,
    Status,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Kind::Mention => "mention",
            Kind::Reply => "reply",
            Kind::Assignment => "assignment",
            Kind::Status => "status",
        }
    }
}

pub struct About<'a> {
    pub trace_id: &'a str,
    pub comment_id: Option<Uuid>,
    pub assignment_id: Option<Uuid>,
    /// Whose act it is: they are not told.
    pub by: &'a str,
}

/// Tells each user once, for the first of their reasons.
pub async fn tell(
    connection: &mut PgConnection,
    envelope: &Envelope,
    (_, offset): (i32, i64),
    about: &About<'_>,
    told: Vec<(String, Kind)>,
) -> sqlx::Result<()> {
    let (mut users, mut kinds) = (Vec::new(), Vec::new());
    for (user, kind) in told {
        if user != about.by && !users.contains(&user) {
            users.push(user);
            kinds.push(kind.as_str());
        }
    }
    if users.is_empty() {
        return Ok(());
    }
    let named: Vec<Uuid> = users.iter().map(|user| ids::notification_id(envelope.id, user)).collect();
    sqlx::query(
        "INSERT INTO notifications (tenant, notification_id, user_id, kind, at_offset, trace_id, comment_id,
                                    assignment_id, created_by, created_at)
         SELECT $1, made.notification_id, made.user_id, made.kind, $5, $6, $7, $8, $9, $10
         FROM unnest($2::uuid[], $3::text[], $4::text[]) AS made (notification_id, user_id, kind)",
    )
    .bind(&envelope.tenant)
    .bind(named)
    .bind(&users)
    .bind(kinds)
    .bind(offset)
    .bind(about.trace_id)
    .bind(about.comment_id)
    .bind(about.assignment_id)
    .bind(about.by)
    .bind(envelope.time)
    .execute(&mut *connection)
    .await?;
    // Beyond the newest; where there are not so many, nothing.
    sqlx::query(
        "DELETE FROM notifications USING (
             SELECT user_id, (SELECT at_offset FROM notifications AS kept
                              WHERE kept.tenant = $1 AND kept.user_id = told.user_id
                              ORDER BY at_offset DESC OFFSET $3 LIMIT 1) AS upto
             FROM unnest($2::text[]) AS told (user_id)
         ) AS old
         WHERE tenant = $1 AND notifications.user_id = old.user_id AND at_offset <= old.upto",
    )
    .bind(&envelope.tenant)
    .bind(users)
    .bind(MOST_OF_A_USER)
    .execute(connection)
    .await
    .map(|_| ())
}

/// Nobody is told of what is gone. `column` says what of the trace it is.
pub async fn forget(
    connection: &mut PgConnection,
    tenant: &str,
    trace_id: &str,
    (column, id): (&'static str, Uuid),
) -> sqlx::Result<()> {
    let sql = format!("DELETE FROM notifications WHERE tenant = $1 AND trace_id = $2 AND {column} = $3");
    sqlx::query(AssertSqlSafe(sql)).bind(tenant).bind(trace_id).bind(id).execute(connection).await.map(|_| ())
}

pub async fn read(
    connection: &mut PgConnection,
    envelope: &Envelope,
    event: &NotificationsRead,
) -> sqlx::Result<Outcome> {
    let (tenant, user) = (&envelope.tenant, &event.user_id);
    let named: Option<Vec<Uuid>> = event.ids.as_ref().map(|ids| ids.iter().filter_map(|id| uuid(id)).collect());
    if let Some(named) = &named {
        let sql = "SELECT EXISTS (SELECT FROM notifications
                                  WHERE tenant = $1 AND notification_id = ANY($2) AND user_id = $3)";
        let has: bool = sqlx::query_scalar(sql).bind(tenant).bind(named).bind(user).fetch_one(&mut *connection).await?;
        if !has {
            return Ok(Outcome::lacks("Notification"));
        }
    }
    sqlx::query(
        "UPDATE notifications SET read_at = $3
         WHERE tenant = $1 AND user_id = $2 AND read_at IS NULL AND ($4::uuid[] IS NULL OR notification_id = ANY($4))",
    )
    .bind(tenant)
    .bind(user)
    .bind(envelope.time)
    .bind(named)
    .execute(connection)
    .await?;
    Ok(Outcome::applied())
}

/// Those of the users who are members of the tenant by now.
pub async fn members(connection: &mut PgConnection, tenant: &str, users: &[String]) -> sqlx::Result<Vec<String>> {
    if users.is_empty() {
        return Ok(Vec::new());
    }
    sqlx::query_scalar("SELECT user_id FROM members WHERE tenant = $1 AND user_id = ANY($2)")
        .bind(tenant)
        .bind(users)
        .fetch_all(connection)
        .await
}
