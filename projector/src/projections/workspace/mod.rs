//! The workspace topic in Postgres: rows and checkpoint in one transaction, which first locks the checkpoint and skips what
//! lies below it. One room a noun.

mod api_keys;
mod collaboration;
mod datasets;
mod erasures;
mod members;
mod memory;
mod outcomes;
mod plans;
pub mod price_tables;
mod prompts;
mod skills;
mod tapes;

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Context;
use runtime::Settings;
use runtime::postgres::schema;
use schemas::{Envelope, Event, topics};
use sqlx::{AssertSqlSafe, PgConnection, PgPool, Row};

use self::collaboration::{assignments, comments, discussions, notifications};
use self::outcomes::Outcome;
use super::Projection;
use crate::Checkpoint;
use crate::log::decode::{self, Content, Decoded};
use crate::log::identity::LogReader;

pub struct Workspace {
    settings: Arc<Settings>,
    pool: PgPool,
    schema: String,
    /// Partition → the identity of its log.
    logs: HashMap<i32, schemas::events::LogCreated>,
}

pub struct Prepared(Vec<Decoded>);

pub fn hears(kind: &str) -> bool {
    const HEARD: &[&str] = &[
        "api_key",
        "member",
        "price_table",
        "plan",
        "contents",
        "skill",
        "prompt",
        "memory",
        "dataset",
        "comment",
        "assignment",
        "notifications",
        "discussion",
        "tape",
    ];
    let noun = kind.strip_prefix("dev.retrace.").and_then(|rest| rest.split('.').next());
    noun.is_some_and(|noun| HEARD.contains(&noun))
}

impl Workspace {
    pub fn new(settings: Arc<Settings>, pool: PgPool, generation: i32) -> Workspace {
        Workspace { settings, pool, schema: schema("workspace", generation), logs: HashMap::new() }
    }

    async fn checkpoints(&self) -> anyhow::Result<Vec<Checkpoint>> {
        let sql = format!(
            "SELECT partition_id, next_offset, log_id, partitions, last_event FROM {}.checkpoints WHERE topic = $1",
            self.schema
        );
        let rows = sqlx::query(AssertSqlSafe(sql)).bind(topics::WORKSPACE).fetch_all(&self.pool).await?;
        Ok(rows
            .into_iter()
            .map(|row| Checkpoint {
                partition: row.get("partition_id"),
                next_offset: row.get("next_offset"),
                log_id: row.get("log_id"),
                partitions: row.get("partitions"),
                last_event: row.get("last_event"),
                at: 0,
            })
            .collect())
    }
}

/// Locks the partition's checkpoint until the transaction ends, and says where it is.
async fn lock(connection: &mut PgConnection, partition: i32) -> sqlx::Result<i64> {
    let found: Option<i64> =
        sqlx::query_scalar("SELECT next_offset FROM checkpoints WHERE topic = $1 AND partition_id = $2 FOR UPDATE")
            .bind(topics::WORKSPACE)
            .bind(partition)
            .fetch_optional(connection)
            .await?;
    Ok(found.unwrap_or(0))
}

async fn apply(
    connection: &mut PgConnection,
    decoded: &Decoded,
    envelope: &Envelope,
    event: &Event,
    content: &Content,
) -> sqlx::Result<()> {
    let place = (decoded.partition, decoded.offset);
    match event {
        Event::ApiKeyCreated(created) => {
            members::has_current_key(connection, envelope, &created.user, &created.role).await?;
            api_keys::created(connection, envelope, created).await
        }
        Event::ApiKeyRevoked(revoked) => api_keys::revoked(connection, envelope, revoked).await,
        Event::ApiKeyUsed(used) => {
            members::used_key(connection, envelope, &used.user, &used.role).await?;
            api_keys::used(connection, envelope, used).await
        }
        Event::MemberSeen(seen) => members::seen(connection, envelope, seen).await,
        Event::PriceTablePublished(table) => price_tables::published(connection, envelope, place, table).await,
        Event::ContentsErased(erased) => erasures::done(connection, envelope, erased).await,
        Event::DiscussionClosed(closed) => {
            let left = discussions::closed(connection, envelope, closed).await?;
            erasures::ask(connection, envelope, place, &left).await
        }
        Event::TapeViewed(viewed) => tapes::viewed(connection, envelope, viewed).await,
        Event::TapesErased(erased) => {
            let left = tapes::erased(connection, envelope, erased).await?;
            erasures::ask(connection, envelope, place, &left).await
        }
        command => decide(connection, place, envelope, command, content).await,
    }
}

/// A command whose outcome depends on what is there (ADR 0016).
async fn decide(
    connection: &mut PgConnection,
    place: (i32, i64),
    envelope: &Envelope,
    command: &Event,
    content: &Content,
) -> sqlx::Result<()> {
    if Outcome::is_known(connection, envelope.id).await? {
        return Ok(());
    }
    let outcome = match (command, content) {
        (Event::SkillCreated(event), content) => skills::created(connection, envelope, event, &content.skill()).await?,
        (Event::SkillChanged(event), content) => skills::changed(connection, envelope, event, &content.skill()).await?,
        (Event::SkillDeleted(event), _) => skills::deleted(connection, envelope, event).await?,
        (Event::PromptCreated(event), content) => {
            prompts::created(connection, envelope, event, &content.prompt()).await?
        }
        (Event::PromptVersionAdded(event), content) => {
            prompts::version_added(connection, envelope, event, &content.prompt_version()).await?
        }
        (Event::PromptLabelled(event), _) => prompts::labelled(connection, envelope, event).await?,
        (Event::PromptDeleted(event), _) => prompts::deleted(connection, envelope, event).await?,
        (Event::MemoryStored(event), content) => memory::stored(connection, envelope, event, &content.memory()).await?,
        (Event::MemoryDeleted(event), _) => memory::deleted(connection, envelope, event).await?,
        (Event::ApiKeyIssued(event), content) => {
            members::asked_for_key(connection, envelope, &event.user, &event.role).await?;
            api_keys::issued(connection, envelope, event, &content.api_key()).await?
        }
        (Event::ApiKeyChanged(event), content) => {
            api_keys::changed(connection, envelope, event, &content.api_key()).await?
        }
        (Event::ApiKeyWithdrawn(event), _) => api_keys::withdrawn(connection, envelope, event).await?,
        (Event::DatasetCreated(event), content) => {
            datasets::created(connection, envelope, event, &content.dataset()).await?
        }
        (Event::DatasetChanged(event), content) => {
            datasets::changed(connection, envelope, event, &content.dataset()).await?
        }
        (Event::DatasetDeleted(event), _) => datasets::deleted(connection, envelope, event).await?,
        (Event::DatasetItemAdded(event), content) => {
            datasets::item_added(connection, envelope, event, &content.dataset_item()).await?
        }
        (Event::DatasetItemChanged(event), content) => {
            datasets::item_changed(connection, envelope, event, &content.dataset_item()).await?
        }
        (Event::DatasetItemDeleted(event), _) => datasets::item_deleted(connection, envelope, event).await?,
        (Event::DatasetItemsImported(event), content) => {
            datasets::items_imported(connection, envelope, event, content.dataset_items()).await?
        }
        (Event::PlanChanged(event), _) => plans::changed(connection, envelope, event).await?,
        (Event::CommentCreated(event), content) => {
            comments::created(connection, envelope, place, event, content.comment()).await?
        }
        (Event::CommentChanged(event), content) => {
            comments::changed(connection, envelope, place, event, content.comment()).await?
        }
        (Event::CommentDeleted(event), _) => comments::deleted(connection, envelope, event).await?,
        (Event::AssignmentCreated(event), content) => {
            assignments::created(connection, envelope, place, event, content.assignment()).await?
        }
        (Event::AssignmentChanged(event), content) => {
            assignments::changed(connection, envelope, place, event, content.assignment()).await?
        }
        (Event::AssignmentDeleted(event), _) => assignments::deleted(connection, envelope, event).await?,
        (Event::NotificationsRead(event), _) => notifications::read(connection, envelope, event).await?,
        (Event::TapePartRecorded(event), content) => {
            tapes::part_recorded(connection, envelope, event, &content.tape_part()).await?
        }
        (Event::TapePublished(event), content) => {
            tapes::published(connection, envelope, event, &content.tape()).await?
        }
        (Event::TapeChanged(event), content) => tapes::changed(connection, envelope, event, &content.tape()).await?,
        (Event::TapeDeleted(event), _) => tapes::deleted(connection, envelope, event).await?,
        (Event::TapeFeatured(event), _) => tapes::featured(connection, envelope, event).await?,
        _ => return Ok(()),
    };
    outcome.keep(connection, envelope.id).await?;
    erasures::ask(connection, envelope, place, &outcome.left(&envelope.subject)).await
}

impl Projection for Workspace {
    type Prepared = Prepared;

    fn name(&self) -> &'static str {
        "workspace"
    }

    async fn ready(&self) -> anyhow::Result<()> {
        self.checkpoints().await.map(drop)
    }

    async fn assign(&mut self, partitions: &[i32]) -> anyhow::Result<Vec<(i32, i64)>> {
        let checkpoints = self.checkpoints().await?;
        let settings = Arc::clone(&self.settings);
        let wanted = partitions.to_vec();
        let checked = tokio::task::spawn_blocking(move || -> anyhow::Result<Vec<_>> {
            let reader = LogReader::new(&settings, topics::WORKSPACE)?;
            let start = |partition| {
                let checkpoint = checkpoints.iter().find(|checkpoint| checkpoint.partition == partition);
                checkpoint.map_or(0, |checkpoint| checkpoint.next_offset)
            };
            let logs = reader.check(&wanted, &checkpoints)?;
            Ok(logs.into_iter().map(|(partition, log)| (partition, start(partition), log)).collect())
        })
        .await??;
        for (partition, _, log) in &checked {
            self.logs.insert(*partition, log.clone());
        }
        Ok(checked.into_iter().map(|(partition, start, _)| (partition, start)).collect())
    }

    fn revoke(&mut self, partitions: &[i32]) {
        for partition in partitions {
            self.logs.remove(partition);
        }
    }

    async fn prepare(&mut self, batch: &[Decoded]) -> anyhow::Result<Prepared> {
        Ok(Prepared(batch.to_vec()))
    }

    async fn commit(&mut self, Prepared(batch): &Prepared) -> anyhow::Result<()> {
        let mut last: HashMap<i32, &Decoded> = HashMap::new();
        for decoded in batch {
            last.insert(decoded.partition, decoded);
        }
        let mut transaction = self.pool.begin().await?;
        sqlx::query(AssertSqlSafe(format!("SET LOCAL search_path TO {}", self.schema)))
            .execute(&mut *transaction)
            .await?;
        let mut partitions: Vec<i32> = last.keys().copied().collect();
        partitions.sort_unstable();
        let mut held: HashMap<i32, i64> = HashMap::new();
        for partition in &partitions {
            held.insert(*partition, lock(&mut transaction, *partition).await?);
        }
        for decoded in batch {
            // Below the checkpoint it is in already: by a commit whose answer was lost, or by another writer.
            let is_new = held.get(&decoded.partition).is_some_and(|next| decoded.offset >= *next);
            if let (decode::Outcome::Event { envelope, event, content }, true) = (&decoded.outcome, is_new) {
                apply(&mut transaction, decoded, envelope, event, content).await?;
            }
        }
        for partition in &partitions {
            let decoded =
                last.get(partition).filter(|decoded| held.get(partition).is_none_or(|next| decoded.offset >= *next));
            let Some(decoded) = decoded else { continue };
            let log = self.logs.get(partition).context("a record of a partition that is not assigned")?;
            sqlx::query(
                "INSERT INTO checkpoints (topic, partition_id, next_offset, log_id, partitions, last_event) VALUES ($1, $2, $3, $4, $5, $6)
                 ON CONFLICT (topic, partition_id) DO UPDATE SET next_offset = $3, log_id = $4, partitions = $5, last_event = $6, updated_at = now()",
            )
            .bind(topics::WORKSPACE)
            .bind(partition)
            .bind(decoded.offset + 1)
            .bind(&log.log_id)
            .bind(log.partitions)
            .bind(&decoded.event_id)
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}
