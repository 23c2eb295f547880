//! Prompts: immutable versions, and the labels that point at them.

use schemas::Envelope;
use schemas::events::{
    PromptContent, PromptCreated, PromptDeleted, PromptLabelled, PromptVersionAdded, PromptVersionContent,
};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::outcomes::Outcome;

const MOST_LABELS: i64 = 50;

pub async fn created(
    connection: &mut PgConnection,
    envelope: &Envelope,
    event: &PromptCreated,
    (content, version): &(PromptContent, PromptVersionContent),
) -> sqlx::Result<Outcome> {
    let Some(id) = uuid(&event.prompt_id) else { return Ok(Outcome::not_found("Prompt")) };
    let of = Prompt { tenant: &envelope.tenant, id };
    if of.latest(connection).await?.is_some() {
        return Ok(Outcome::conflict("A prompt with this id exists".to_owned()));
    }
    let inserted = sqlx::query(
        "INSERT INTO prompts (tenant, prompt_id, name_hash, name, description, latest_version, created_by, created_at,
                              updated_at)
         VALUES ($1, $2, $3, $4, $5, 1, $6, $7, $7) ON CONFLICT (tenant, name_hash) DO NOTHING",
    )
    .bind(of.tenant)
    .bind(id)
    .bind(event.name_hash.as_slice())
    .bind(&content.name)
    .bind(content.description.as_deref().unwrap_or_default())
    .bind(&version.user_id)
    .bind(envelope.time)
    .execute(&mut *connection)
    .await?;
    if inserted.rows_affected() == 0 {
        return Ok(Outcome::taken("A prompt of this name exists".to_owned()));
    }
    of.add(connection, 1, version, envelope.time).await?;
    of.label(connection, &event.labels, 1).await?;
    Ok(Outcome::created(1))
}

pub async fn version_added(
    connection: &mut PgConnection,
    envelope: &Envelope,
    event: &PromptVersionAdded,
    content: &PromptVersionContent,
) -> sqlx::Result<Outcome> {
    let Some((of, latest)) = found(connection, envelope, &event.prompt_id).await? else {
        return Ok(Outcome::not_found("Prompt"));
    };
    if let Some(asked) = event.if_match.filter(|asked| *asked != latest) {
        return Ok(Outcome::stale("prompt", asked, latest));
    }
    if !of.has_room(connection, &event.labels).await? {
        return Ok(full());
    }
    of.add(connection, latest + 1, content, envelope.time).await?;
    of.label(connection, &event.labels, latest + 1).await?;
    of.touch(connection, latest + 1, envelope.time).await?;
    Ok(Outcome::created(latest + 1))
}

pub async fn labelled(
    connection: &mut PgConnection,
    envelope: &Envelope,
    event: &PromptLabelled,
) -> sqlx::Result<Outcome> {
    let Some((of, latest)) = found(connection, envelope, &event.prompt_id).await? else {
        return Ok(Outcome::not_found("Prompt"));
    };
    if let Some(version) = event.version.filter(|version| !(1..=latest).contains(version)) {
        return Ok(Outcome::lacks(&format!("Version {version} of the prompt")));
    }
    let label = &event.label;
    let current = of.labelled(connection, label).await?;
    if let Some(asked) = event.from_version.filter(|asked| *asked != current.unwrap_or(0)) {
        let place = |version: i64| if version == 0 { "nothing".to_owned() } else { format!("version {version}") };
        let (current, asked) = (place(current.unwrap_or(0)), place(asked));
        let reason = format!("Label {label} points at {current}, not at {asked} as from_version says");
        return Ok(Outcome::overtaken(reason));
    }
    match event.version {
        Some(version) => {
            let labels = std::slice::from_ref(label);
            if !of.has_room(connection, labels).await? {
                return Ok(full());
            }
            of.label(connection, labels, version).await?;
        }
        None if current.is_none() => return Ok(Outcome::lacks(&format!("Label {label} of the prompt"))),
        None => of.unlabel(connection, label).await?,
    }
    of.touch(connection, latest, envelope.time).await?;
    Ok(if event.version.is_some() { Outcome::changed(latest) } else { Outcome::removed() })
}

pub async fn deleted(
    connection: &mut PgConnection,
    envelope: &Envelope,
    event: &PromptDeleted,
) -> sqlx::Result<Outcome> {
    let Some((of, latest)) = found(connection, envelope, &event.prompt_id).await? else {
        return Ok(Outcome::not_found("Prompt"));
    };
    if let Some(asked) = event.if_match.filter(|asked| *asked != latest) {
        return Ok(Outcome::stale("prompt", asked, latest));
    }
    for sql in [
        "DELETE FROM prompt_labels WHERE tenant = $1 AND prompt_id = $2",
        "DELETE FROM prompt_versions WHERE tenant = $1 AND prompt_id = $2",
        "DELETE FROM prompts WHERE tenant = $1 AND prompt_id = $2",
    ] {
        sqlx::query(sql).bind(of.tenant).bind(of.id).execute(&mut *connection).await?;
    }
    Ok(Outcome::deleted())
}

/// Nobody else changes it: the partition's checkpoint is locked.
struct Prompt<'a> {
    tenant: &'a str,
    id: Uuid,
}

/// The prompt with its newest version.
async fn found<'a>(
    connection: &mut PgConnection,
    envelope: &'a Envelope,
    id: &str,
) -> sqlx::Result<Option<(Prompt<'a>, i64)>> {
    let Some(id) = uuid(id) else { return Ok(None) };
    let of = Prompt { tenant: &envelope.tenant, id };
    let latest = of.latest(connection).await?;
    Ok(latest.map(|latest| (of, latest)))
}

impl Prompt<'_> {
    async fn latest(&self, connection: &mut PgConnection) -> sqlx::Result<Option<i64>> {
        sqlx::query_scalar("SELECT latest_version FROM prompts WHERE tenant = $1 AND prompt_id = $2")
            .bind(self.tenant)
            .bind(self.id)
            .fetch_optional(connection)
            .await
    }

    async fn add(
        &self,
        connection: &mut PgConnection,
        version: i64,
        content: &PromptVersionContent,
        at: OffsetDateTime,
    ) -> sqlx::Result<()> {
        sqlx::query(
            "INSERT INTO prompt_versions (tenant, prompt_id, version, content, messages, variables, model, config, message,
                                          created_by, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(self.tenant)
        .bind(self.id)
        .bind(version)
        .bind(&content.content)
        .bind(&content.messages)
        .bind(&content.variables)
        .bind(&content.model)
        .bind(&content.config)
        .bind(&content.message)
        .bind(&content.user_id)
        .bind(at)
        .execute(connection)
        .await
        .map(|_| ())
    }

    async fn touch(&self, connection: &mut PgConnection, latest: i64, at: OffsetDateTime) -> sqlx::Result<()> {
        sqlx::query("UPDATE prompts SET latest_version = $3, updated_at = $4 WHERE tenant = $1 AND prompt_id = $2")
            .bind(self.tenant)
            .bind(self.id)
            .bind(latest)
            .bind(at)
            .execute(connection)
            .await
            .map(|_| ())
    }

    async fn labelled(&self, connection: &mut PgConnection, label: &str) -> sqlx::Result<Option<i64>> {
        sqlx::query_scalar("SELECT version FROM prompt_labels WHERE tenant = $1 AND prompt_id = $2 AND label = $3")
            .bind(self.tenant)
            .bind(self.id)
            .bind(label)
            .fetch_optional(connection)
            .await
    }

    /// Whether it may have these labels beside those that it has.
    async fn has_room(&self, connection: &mut PgConnection, labels: &[String]) -> sqlx::Result<bool> {
        let sql = "SELECT count(*) FROM (SELECT label FROM prompt_labels WHERE tenant = $1 AND prompt_id = $2
                                         UNION SELECT unnest($3::text[])) AS labels";
        let count: i64 =
            sqlx::query_scalar(sql).bind(self.tenant).bind(self.id).bind(labels).fetch_one(connection).await?;
        Ok(count <= MOST_LABELS)
    }

    /// Points the labels at the version, wherever they were.
    async fn label(&self, connection: &mut PgConnection, labels: &[String], version: i64) -> sqlx::Result<()> {
        sqlx::query(
            "INSERT INTO prompt_labels (tenant, prompt_id, label, version, created_at)
             SELECT DISTINCT tenant, prompt_id, unnest($3::text[]), $4::bigint, created_at
             FROM prompts WHERE tenant = $1 AND prompt_id = $2
             ON CONFLICT (tenant, prompt_id, label) DO UPDATE SET version = excluded.version",
        )
        .bind(self.tenant)
        .bind(self.id)
        .bind(labels)
        .bind(version)
        .execute(connection)
        .await
        .map(|_| ())
    }

    async fn unlabel(&self, connection: &mut PgConnection, label: &str) -> sqlx::Result<()> {
        sqlx::query("DELETE FROM prompt_labels WHERE tenant = $1 AND prompt_id = $2 AND label = $3")
            .bind(self.tenant)
            .bind(self.id)
            .bind(label)
            .execute(connection)
            .await
            .map(|_| ())
    }
}

fn full() -> Outcome {
    Outcome::conflict(format!("A prompt has at most {MOST_LABELS} labels"))
}

/// The command side makes no other ids.
fn uuid(id: &str) -> Option<Uuid> {
    Uuid::try_parse(id).ok()
}
