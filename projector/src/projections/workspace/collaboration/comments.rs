//! Comments: threads of two levels, and a placeholder where a deleted one has replies.

use schemas::Envelope;
use schemas::events::{CommentChanged, CommentCreated, CommentDeleted};
use sqlx::PgConnection;
use uuid::Uuid;

use super::super::outcomes::Outcome;
use super::notifications::{self, About, Kind};
use super::{discussions, uuid};

const MOST_COMMENTS: i64 = 10_000;

/// One that is not deleted.
#[derive(sqlx::FromRow)]
struct Comment {
    comment_id: Uuid,
    trace_id: String,
    span_id: Option<String>,
    parent_id: Option<Uuid>,
    version: i64,
    mentions: Vec<String>,
    reply_count: i64,
    created_by: String,
}

pub async fn created(
    connection: &mut PgConnection,
    envelope: &Envelope,
    place: (i32, i64),
    event: &CommentCreated,
    body: &str,
) -> sqlx::Result<Outcome> {
    let (tenant, trace_id) = (&envelope.tenant, &event.trace_id);
    let Some(id) = uuid(&event.comment_id) else { return Ok(Outcome::not_found("Comment")) };
    if exists(connection, tenant, id).await? {
        return Ok(Outcome::conflict("A comment with this id exists".to_owned()));
    }
    let discussion = discussions::of(connection, tenant, trace_id).await?;
    if discussion.is_closed {
        return Ok(Outcome::not_found("Trace"));
    }
    let answered = match &event.reply_to_id {
        Some(answered) => {
            let found = found(connection, tenant, answered).await?;
            let Some(answered) = found.filter(|comment| comment.trace_id == *trace_id) else {
                return Ok(Outcome::not_found("Parent comment"));
            };
            Some(answered)
        }
        None => None,
    };
    if discussion.comments >= MOST_COMMENTS {
        return Ok(Outcome::taken(format!("A trace has at most {MOST_COMMENTS} comments")));
    }
    let parent_id = answered.as_ref().map(|answered| answered.parent_id.unwrap_or(answered.comment_id));
    // A reply is where its thread is.
    let span_id = answered.as_ref().map_or(&event.span_id, |answered| &answered.span_id);
    sqlx::query(
        "INSERT INTO comments (tenant, comment_id, trace_id, span_id, parent_id, reply_to_id, version, body, mentions,
                               reply_count, is_deleted, created_by, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $8, 0, false, $9, $10)",
    )
    .bind(tenant)
    .bind(id)
    .bind(trace_id)
    .bind(span_id)
    .bind(parent_id)
    .bind(answered.as_ref().map(|answered| answered.comment_id))
    .bind(body)
    .bind(&event.mentions)
    .bind(&event.by)
    .bind(envelope.time)
    .execute(&mut *connection)
    .await?;
    discussions::count(connection, tenant, trace_id, (1, 0)).await?;
    if let Some(parent) = parent_id {
        sqlx::query("UPDATE comments SET reply_count = reply_count + 1 WHERE tenant = $1 AND comment_id = $2")
            .bind(tenant)
            .bind(parent)
            .execute(&mut *connection)
            .await?;
    }
    let mentioned = notifications::members(connection, tenant, &event.mentions).await?;
    let mut told: Vec<(String, Kind)> = mentioned.into_iter().map(|user| (user, Kind::Mention)).collect();
    told.extend(answered.map(|answered| (answered.created_by, Kind::Reply)));
    let about = About { trace_id, comment_id: Some(id), assignment_id: None, by: &event.by };
    notifications::tell(connection, envelope, place, &about, told).await?;
    Ok(Outcome::created(1))
}

pub async fn changed(
    connection: &mut PgConnection,
    envelope: &Envelope,
    place: (i32, i64),
    event: &CommentChanged,
    body: &str,
) -> sqlx::Result<Outcome> {
    let tenant = &envelope.tenant;
    let Some(comment) = found(connection, tenant, &event.comment_id).await? else {
        return Ok(Outcome::not_found("Comment"));
    };
    if comment.created_by != event.by {
        return Ok(Outcome::forbidden("Only its author changes a comment".to_owned()));
    }
    if let Some(asked) = event.if_match.filter(|asked| *asked != comment.version) {
        return Ok(Outcome::stale("comment", asked, comment.version));
    }
    sqlx::query(
        "UPDATE comments SET version = version + 1, body = $3, mentions = $4, edited_at = $5
         WHERE tenant = $1 AND comment_id = $2",
    )
    .bind(tenant)
    .bind(comment.comment_id)
    .bind(body)
    .bind(&event.mentions)
    .bind(envelope.time)
    .execute(&mut *connection)
    .await?;
    let new: Vec<String> = event.mentions.iter().filter(|user| !comment.mentions.contains(user)).cloned().collect();
    let mentioned = notifications::members(connection, tenant, &new).await?;
    let told = mentioned.into_iter().map(|user| (user, Kind::Mention)).collect();
    let (trace_id, comment_id) = (&comment.trace_id, Some(comment.comment_id));
    let about = About { trace_id, comment_id, assignment_id: None, by: &event.by };
    notifications::tell(connection, envelope, place, &about, told).await?;
    Ok(Outcome::changed(comment.version + 1))
}

pub async fn deleted(
    connection: &mut PgConnection,
    envelope: &Envelope,
    event: &CommentDeleted,
) -> sqlx::Result<Outcome> {
    let tenant = &envelope.tenant;
    let Some(comment) = found(connection, tenant, &event.comment_id).await? else {
        return Ok(Outcome::not_found("Comment"));
    };
    if comment.created_by != event.by && !event.moderates {
        let reason = "Only its author, an owner or an admin deletes a comment";
        return Ok(Outcome::forbidden(reason.to_owned()));
    }
    if let Some(asked) = event.if_match.filter(|asked| *asked != comment.version) {
        return Ok(Outcome::stale("comment", asked, comment.version));
    }
    if comment.reply_count > 0 {
        sqlx::query(
            "UPDATE comments SET is_deleted = true, body = '', mentions = '{}' WHERE tenant = $1 AND comment_id = $2",
        )
        .bind(tenant)
        .bind(comment.comment_id)
        .execute(&mut *connection)
        .await?;
    } else {
        remove(connection, tenant, &comment).await?;
    }
    let trace_id = &comment.trace_id;
    notifications::forget(connection, tenant, trace_id, ("comment_id", comment.comment_id)).await?;
    Ok(Outcome::deleted())
}

/// Takes the row away, and with the last reply the placeholder that it answered.
async fn remove(connection: &mut PgConnection, tenant: &str, comment: &Comment) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM comments WHERE tenant = $1 AND comment_id = $2")
        .bind(tenant)
        .bind(comment.comment_id)
        .execute(&mut *connection)
        .await?;
    let mut removed = 1;
    if let Some(parent) = comment.parent_id {
        sqlx::query("UPDATE comments SET reply_count = reply_count - 1 WHERE tenant = $1 AND comment_id = $2")
            .bind(tenant)
            .bind(parent)
            .execute(&mut *connection)
            .await?;
        let placeholder = "DELETE FROM comments
                           WHERE tenant = $1 AND comment_id = $2 AND is_deleted AND reply_count = 0";
        let emptied = sqlx::query(placeholder).bind(tenant).bind(parent).execute(&mut *connection).await?;
        removed += emptied.rows_affected() as i64;
    }
    discussions::count(connection, tenant, &comment.trace_id, (-removed, 0)).await
}

async fn exists(connection: &mut PgConnection, tenant: &str, id: Uuid) -> sqlx::Result<bool> {
    sqlx::query_scalar("SELECT EXISTS (SELECT FROM comments WHERE tenant = $1 AND comment_id = $2)")
        .bind(tenant)
        .bind(id)
        .fetch_one(connection)
        .await
}

/// The comment, unless it is deleted. Nobody else changes it: the partition's checkpoint is locked.
async fn found(connection: &mut PgConnection, tenant: &str, id: &str) -> sqlx::Result<Option<Comment>> {
    sqlx::query_as(
        "SELECT comment_id, trace_id, span_id, parent_id, version, mentions, reply_count, created_by
         FROM comments WHERE tenant = $1 AND comment_id = $2 AND NOT is_deleted",
    )
    .bind(tenant)
    .bind(uuid(id))
    .fetch_optional(connection)
    .await
}
