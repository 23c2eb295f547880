//! Assignments: who looks after a trace, and how far they are.

use schemas::Envelope;
use schemas::events::{AssignmentChanged, AssignmentCreated, AssignmentDeleted};
use sqlx::PgConnection;
use uuid::Uuid;

use super::super::outcomes::Outcome;
use super::notifications::{self, About, Kind};
use super::{discussions, uuid};

const MOST_ASSIGNMENTS: i64 = 1_000;
const OPEN: &[&str] = &["open", "in_progress"];

#[derive(sqlx::FromRow)]
struct Assignment {
    assignment_id: Uuid,
    trace_id: String,
    assignee_id: String,
    status: String,
    version: i64,
    assigned_by: String,
}

pub async fn created(
    connection: &mut PgConnection,
    envelope: &Envelope,
    place: (i32, i64),
    event: &AssignmentCreated,
    note: &str,
) -> sqlx::Result<Outcome> {
    let (tenant, trace_id, assignee) = (&envelope.tenant, &event.trace_id, &event.assignee_id);
    let Some(id) = uuid(&event.assignment_id) else { return Ok(Outcome::not_found("Assignment")) };
    if found(connection, tenant, &event.assignment_id).await?.is_some() {
        return Ok(Outcome::conflict("An assignment with this id exists".to_owned()));
    }
    let discussion = discussions::of(connection, tenant, trace_id).await?;
    if discussion.is_closed {
        return Ok(Outcome::not_found("Trace"));
    }
    if !is_member(connection, tenant, assignee).await? {
        return Ok(Outcome::not_found("Member"));
    }
    if is_open(connection, tenant, (trace_id, assignee), id).await? {
        return Ok(Outcome::taken(already()));
    }
    if discussion.assignments >= MOST_ASSIGNMENTS {
        return Ok(Outcome::taken(format!("A trace has at most {MOST_ASSIGNMENTS} assignments")));
    }
    sqlx::query(
        "INSERT INTO assignments (tenant, assignment_id, trace_id, assignee_id, status, note, version, assigned_by,
                                  created_by, created_at, updated_by, updated_at)
         VALUES ($1, $2, $3, $4, 'open', $5, 1, $6, $6, $7, $6, $7)",
    )
    .bind(tenant)
    .bind(id)
    .bind(trace_id)
    .bind(assignee)
    .bind(note)
    .bind(&event.by)
    .bind(envelope.time)
    .execute(&mut *connection)
    .await?;
    discussions::count(connection, tenant, trace_id, (0, 1)).await?;
    let about = About { trace_id, comment_id: None, assignment_id: Some(id), by: &event.by };
    notifications::tell(connection, envelope, place, &about, vec![(assignee.clone(), Kind::Assignment)]).await?;
    Ok(Outcome::created(1))
}

pub async fn changed(
    connection: &mut PgConnection,
    envelope: &Envelope,
    place: (i32, i64),
    event: &AssignmentChanged,
    note: &str,
) -> sqlx::Result<Outcome> {
    let tenant = &envelope.tenant;
    let Some(current) = found(connection, tenant, &event.assignment_id).await? else {
        return Ok(Outcome::not_found("Assignment"));
    };
    if let Some(asked) = event.if_match.filter(|asked| *asked != current.version) {
        return Ok(Outcome::stale("assignment", asked, current.version));
    }
    let id = current.assignment_id;
    let status = event.status.as_deref().unwrap_or(&current.status);
    let other = event.assignee_id.as_ref().filter(|assignee| **assignee != current.assignee_id);
    if let Some(other) = other
        && !is_member(connection, tenant, other).await?
    {
        return Ok(Outcome::lacks("Member"));
    }
    let assignee = other.unwrap_or(&current.assignee_id);
    if OPEN.contains(&status) && is_open(connection, tenant, (&current.trace_id, assignee), id).await? {
        return Ok(Outcome::conflict(already()));
    }
    sqlx::query(
        "UPDATE assignments SET version = version + 1, status = $3, assignee_id = $4, assigned_by = $5,
                note = coalesce($6, note), updated_by = $7, updated_at = $8
         WHERE tenant = $1 AND assignment_id = $2",
    )
    .bind(tenant)
    .bind(id)
    .bind(status)
    .bind(assignee)
    .bind(if other.is_some() { &event.by } else { &current.assigned_by })
    .bind(event.content.as_ref().map(|_| note))
    .bind(&event.by)
    .bind(envelope.time)
    .execute(&mut *connection)
    .await?;
    let mut told: Vec<(String, Kind)> = other.map(|other| (other.clone(), Kind::Assignment)).into_iter().collect();
    if status != current.status {
        told.push((current.assigned_by, Kind::Status));
    }
    let about = About { trace_id: &current.trace_id, comment_id: None, assignment_id: Some(id), by: &event.by };
    notifications::tell(connection, envelope, place, &about, told).await?;
    Ok(Outcome::changed(current.version + 1))
}

pub async fn deleted(
    connection: &mut PgConnection,
    envelope: &Envelope,
    event: &AssignmentDeleted,
) -> sqlx::Result<Outcome> {
    let tenant = &envelope.tenant;
    let Some(current) = found(connection, tenant, &event.assignment_id).await? else {
        return Ok(Outcome::not_found("Assignment"));
    };
    if current.assigned_by != event.by && !event.moderates {
        let reason = "Only who assigned, an owner or an admin deletes an assignment";
        return Ok(Outcome::forbidden(reason.to_owned()));
    }
    if let Some(asked) = event.if_match.filter(|asked| *asked != current.version) {
        return Ok(Outcome::stale("assignment", asked, current.version));
    }
    let (id, trace_id) = (current.assignment_id, &current.trace_id);
    sqlx::query("DELETE FROM assignments WHERE tenant = $1 AND assignment_id = $2")
        .bind(tenant)
        .bind(id)
        .execute(&mut *connection)
        .await?;
    discussions::count(connection, tenant, trace_id, (0, -1)).await?;
    notifications::forget(connection, tenant, trace_id, ("assignment_id", id)).await?;
    Ok(Outcome::deleted())
}

fn already() -> String {
    "The trace is assigned to this member already".to_owned()
}

async fn is_member(connection: &mut PgConnection, tenant: &str, user: &str) -> sqlx::Result<bool> {
    Ok(!notifications::members(connection, tenant, &[user.to_owned()]).await?.is_empty())
}

/// Whether another assignment of the trace to the user is open.
async fn is_open(
    connection: &mut PgConnection,
    tenant: &str,
    (trace_id, assignee): (&str, &str),
    but: Uuid,
) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM assignments WHERE tenant = $1 AND trace_id = $2 AND assignee_id = $3
                                                  AND status = ANY($4) AND assignment_id <> $5)",
    )
    .bind(tenant)
    .bind(trace_id)
    .bind(assignee)
    .bind(OPEN)
    .bind(but)
    .fetch_one(connection)
    .await
}

/// Nobody else changes it: the partition's checkpoint is locked.
async fn found(connection: &mut PgConnection, tenant: &str, id: &str) -> sqlx::Result<Option<Assignment>> {
    sqlx::query_as(
        "SELECT assignment_id, trace_id, assignee_id, status, version, assigned_by
         FROM assignments WHERE tenant = $1 AND assignment_id = $2",
    )
    .bind(tenant)
    .bind(uuid(id))
    .fetch_optional(connection)
    .await
}
