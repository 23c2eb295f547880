//! Skills: every version is kept, and the newest one is what the lists show.

use schemas::Envelope;
use schemas::events::{SkillChanged, SkillContent, SkillCreated, SkillDeleted};
use sqlx::PgConnection;
use uuid::Uuid;

use super::outcomes::Outcome;

pub async fn created(
    connection: &mut PgConnection,
    envelope: &Envelope,
    event: &SkillCreated,
    content: &SkillContent,
) -> sqlx::Result<Outcome> {
    let Some(id) = uuid(&event.skill_id) else { return Ok(Outcome::not_found("Skill")) };
    let inserted = sqlx::query(
        "INSERT INTO skills (tenant, skill_id, version, name, description, definition, scope, tags, is_public,
                             created_by, created_at, updated_by, updated_at)
         VALUES ($1, $2, 1, $3, $4, $5, $6, $7, $8, $9, $10, $9, $10) ON CONFLICT DO NOTHING",
    )
    .bind(&envelope.tenant)
    .bind(id)
    .bind(content.name.as_deref().unwrap_or_default())
    .bind(content.description.as_deref().unwrap_or_default())
    .bind(content.definition.as_deref().unwrap_or("{}"))
    .bind(content.scope.as_deref().unwrap_or_default())
    .bind(content.tags.as_deref().unwrap_or_default())
    .bind(content.is_public.unwrap_or(false))
    .bind(&content.user_id)
    .bind(envelope.time)
    .execute(&mut *connection)
    .await?;
    if inserted.rows_affected() == 0 {
        return Ok(Outcome::conflict("A skill with this id exists".to_owned()));
    }
    sqlx::query(
        "INSERT INTO skill_versions (tenant, skill_id, version, name, description, definition, scope, tags, is_public,
                                     created_by, created_at)
         SELECT tenant, skill_id, version, name, description, definition, scope, tags, is_public, created_by, created_at
         FROM skills WHERE tenant = $1 AND skill_id = $2",
    )
    .bind(&envelope.tenant)
    .bind(id)
    .execute(&mut *connection)
    .await?;
    tag(connection, &envelope.tenant, id).await?;
    Ok(Outcome::created(1))
}

pub async fn changed(
    connection: &mut PgConnection,
    envelope: &Envelope,
    event: &SkillChanged,
    content: &SkillContent,
) -> sqlx::Result<Outcome> {
    let (tenant, id) = (&envelope.tenant, uuid(&event.skill_id));
    let Some((id, current)) = found(connection, tenant, id).await? else { return Ok(Outcome::not_found("Skill")) };
    if let Some(asked) = event.if_match.filter(|asked| *asked != current) {
        return Ok(Outcome::stale("skill", asked, current));
    }
    // The next version is the current one, or the restored one, but for what the content replaces.
    let added = sqlx::query(
        "INSERT INTO skill_versions (tenant, skill_id, version, restores, name, description, definition, scope, tags,
                                     is_public, created_by, created_at)
         SELECT tenant, skill_id, $3, $5, coalesce($6, name), coalesce($7, description), coalesce($8, definition),
                coalesce($9, scope), coalesce($10, tags), coalesce($11, is_public), $12, $13
         FROM skill_versions WHERE tenant = $1 AND skill_id = $2 AND version = $4",
    )
    .bind(tenant)
    .bind(id)
    .bind(current + 1)
    .bind(event.restores.unwrap_or(current))
    .bind(event.restores)
    .bind(&content.name)
    .bind(&content.description)
    .bind(&content.definition)
    .bind(&content.scope)
    .bind(&content.tags)
    .bind(content.is_public)
    .bind(&content.user_id)
    .bind(envelope.time)
    .execute(&mut *connection)
    .await?;
    if added.rows_affected() == 0 {
        return Ok(Outcome::lacks(&format!("Version {} of the skill", event.restores.unwrap_or(current))));
    }
    sqlx::query(
        "UPDATE skills SET version = new.version, name = new.name, description = new.description,
                definition = new.definition, scope = new.scope, tags = new.tags, is_public = new.is_public,
                updated_by = new.created_by, updated_at = new.created_at
         FROM skill_versions AS new
         WHERE skills.tenant = $1 AND skills.skill_id = $2
           AND new.tenant = $1 AND new.skill_id = $2 AND new.version = $3",
    )
    .bind(tenant)
    .bind(id)
    .bind(current + 1)
    .execute(&mut *connection)
    .await?;
    tag(connection, tenant, id).await?;
    Ok(Outcome::changed(current + 1))
}

pub async fn deleted(
    connection: &mut PgConnection,
    envelope: &Envelope,
    event: &SkillDeleted,
) -> sqlx::Result<Outcome> {
    let (tenant, id) = (&envelope.tenant, uuid(&event.skill_id));
    let Some((id, current)) = found(connection, tenant, id).await? else { return Ok(Outcome::not_found("Skill")) };
    if let Some(asked) = event.if_match.filter(|asked| *asked != current) {
        return Ok(Outcome::stale("skill", asked, current));
    }
    for sql in [
        "DELETE FROM skill_tags WHERE tenant = $1 AND skill_id = $2",
        "DELETE FROM skill_versions WHERE tenant = $1 AND skill_id = $2",
        "DELETE FROM skills WHERE tenant = $1 AND skill_id = $2",
    ] {
        sqlx::query(sql).bind(tenant).bind(id).execute(&mut *connection).await?;
    }
    Ok(Outcome::deleted())
}

/// The skill with its current version. Nobody else changes it: the partition's checkpoint is locked.
async fn found(connection: &mut PgConnection, tenant: &str, id: Option<Uuid>) -> sqlx::Result<Option<(Uuid, i64)>> {
    let current: Option<i64> = sqlx::query_scalar("SELECT version FROM skills WHERE tenant = $1 AND skill_id = $2")
        .bind(tenant)
        .bind(id)
        .fetch_optional(connection)
        .await?;
    Ok(id.zip(current))
}

async fn tag(connection: &mut PgConnection, tenant: &str, id: Uuid) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM skill_tags WHERE tenant = $1 AND skill_id = $2")
        .bind(tenant)
        .bind(id)
        .execute(&mut *connection)
        .await?;
    sqlx::query(
        "INSERT INTO skill_tags (tenant, tag, created_at, skill_id)
         SELECT DISTINCT tenant, unnest(tags), created_at, skill_id FROM skills WHERE tenant = $1 AND skill_id = $2",
    )
    .bind(tenant)
    .bind(id)
    .execute(connection)
    .await
    .map(|_| ())
}

/// The command side makes no other ids.
fn uuid(id: &str) -> Option<Uuid> {
    Uuid::try_parse(id).ok()
}
