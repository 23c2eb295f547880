//! Erasure: the content of a deleted trace or resource becomes unreadable everywhere, in batches (ADR 0002).
//!
//! The folds say what is to be erased, in their `erasures` tables. One batch: tombstones for the sealing keys, the rows
//! that still hold content out of ClickHouse, the log cleaner woken until the keys are gone from Kafka's files, and a
//! `ContentsErased` event that says so. Everything may be done twice, so a crash anywhere only repeats it.

mod cleaner;
mod keys;
mod resources;
mod traces;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::Context;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use runtime::Settings;
use runtime::kafka::client_config;
use schemas::audit::client;
use schemas::events::{ContentsErased, Frontier};
use schemas::{Envelope, Event, ids, topics};
use sqlx::PgPool;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use self::keys::Owner;

/// Between two looks for clients of old months.
const LOOK_FOR_CLIENTS: Duration = Duration::from_secs(24 * 3600);

/// Only one process erases at a time.
const LOCK: i64 = 0x7265_7472_6163_6501;

pub struct Eraser {
    settings: Arc<Settings>,
    client: clickhouse::Client,
    pool: PgPool,
    producer: FutureProducer,
    /// When the clients of old months were looked for.
    looked: Mutex<Option<Instant>>,
}

/// Looks for content to erase at the configured interval, until stopped.
pub async fn run(
    settings: Arc<Settings>,
    client: clickhouse::Client,
    pool: PgPool,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    if settings.erase_interval_ms == 0 {
        stop.cancelled().await;
        return Ok(());
    }
    let mut tick = tokio::time::interval(Duration::from_millis(settings.erase_interval_ms));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let eraser = Eraser::new(settings, client, pool)?;
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            _ = tick.tick() => {}
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            outcome = eraser.erase() => match outcome {
                Ok(0) => {}
                Ok(deletions) => tracing::info!(deletions, "content erased"),
                Err(cause) => tracing::warn!(cause = format!("{cause:#}"), "erasure is tried again"),
            },
        }
    }
}

impl Eraser {
    pub fn new(settings: Arc<Settings>, client: clickhouse::Client, pool: PgPool) -> anyhow::Result<Eraser> {
        let producer = client_config(&settings)
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("message.timeout.ms", "10000")
            .create()
            .context("the eraser's producer cannot be created")?;
        Ok(Eraser { settings, client, pool, producer, looked: Mutex::new(None) })
    }

    /// A batch of each kind; how many deletions they held.
    pub async fn erase(&self) -> anyhow::Result<usize> {
        // The lock ends with the transaction, also when this future is dropped.
        let mut transaction = self.pool.begin().await?;
        let locked: bool =
            sqlx::query_scalar("SELECT pg_try_advisory_xact_lock($1)").bind(LOCK).fetch_one(&mut *transaction).await?;
        if !locked {
            return Ok(0);
        }
        let erased = self.erase_locked().await?;
        transaction.commit().await?;
        Ok(erased)
    }

    async fn erase_locked(&self) -> anyhow::Result<usize> {
        Ok(self.erase_traces().await? + self.erase_resources().await? + self.erase_clients().await?)
    }

    /// From where and as whom writes came, of months that are old enough: the audit's chain stands without it.
    async fn erase_clients(&self) -> anyhow::Result<usize> {
        let is_due = |looked: &Option<Instant>| looked.is_none_or(|at| at.elapsed() >= LOOK_FOR_CLIENTS);
        if !self.looked.lock().is_ok_and(|looked| is_due(&looked)) {
            return Ok(0);
        }
        let (now, days) = (OffsetDateTime::now_utc(), self.settings.audit_client_days);
        let before = now - time::Duration::days(days.min(100_000) as i64);
        let is_old = move |owner: &str| client::is_expired(owner, now, days);
        let keys = keys::bury_older(&self.settings, &self.producer, before, is_old).await?;
        if !keys.is_empty() {
            cleaner::clean(&self.settings, &self.producer, &keys).await?;
            let (keys, nowhere) = (i64::try_from(keys.len())?, Vec::new());
            self.say(ContentsErased { keys, upto: nowhere.clone(), workspace_upto: nowhere }).await?;
        }
        if let Ok(mut looked) = self.looked.lock() {
            *looked = Some(Instant::now());
        }
        Ok(keys.len())
    }

    async fn erase_traces(&self) -> anyhow::Result<usize> {
        let mut erased = 0;
        for generation in self.generations("traces").await? {
            let queue = traces::Queue::new(&self.client, generation);
            let pending = queue.pending().await?;
            if pending.is_empty() {
                continue;
            }
            erased += pending.len();
            let owners: Vec<Owner> = pending.iter().map(traces::Pending::owner).collect();
            let keys = self.erase_keys(&owners).await?;
            queue.remove_content(&pending).await?;
            let upto = frontiers(pending.iter().map(|row| (i32::from(row.partition), row.offset())));
            self.say(ContentsErased { keys, upto, workspace_upto: Vec::new() }).await?;
            queue.done(&pending).await?;
        }
        Ok(erased)
    }

    async fn erase_resources(&self) -> anyhow::Result<usize> {
        let mut erased = 0;
        for generation in self.generations("workspace").await? {
            let queue = resources::Queue::new(&self.pool, generation);
            let pending = queue.pending().await?;
            if pending.is_empty() {
                continue;
            }
            erased += pending.len();
            let owners: Vec<Owner> = pending.iter().map(resources::Pending::owner).collect();
            let keys = self.erase_keys(&owners).await?;
            let workspace_upto = frontiers(pending.iter().map(|row| (row.partition_id, row.at_offset)));
            self.say(ContentsErased { keys, upto: Vec::new(), workspace_upto }).await?;
            queue.done(&pending).await?;
        }
        Ok(erased)
    }

    /// How many there were.
    async fn erase_keys(&self, owners: &[Owner]) -> anyhow::Result<i64> {
        let keys = keys::bury(&self.settings, &self.producer, owners).await?;
        cleaner::clean(&self.settings, &self.producer, &keys).await?;
        Ok(i64::try_from(keys.len())?)
    }

    /// One that is being built holds content as well.
    async fn generations(&self, projection: &str) -> anyhow::Result<Vec<i32>> {
        let sql = "SELECT generation FROM generations WHERE projection = $1 AND NOT retired ORDER BY generation";
        Ok(sqlx::query_scalar(sql).bind(projection).fetch_all(&self.pool).await?)
    }

    /// Evidence in the log: from here on nothing deleted before these positions can be read.
    async fn say(&self, erased: ContentsErased) -> anyhow::Result<()> {
        let event = Event::ContentsErased(erased);
        let envelope = Envelope {
            id: ids::event_id(),
            kind: event.kind().to_owned(),
            source: "/retrace/eraser".to_owned(),
            time: OffsetDateTime::now_utc(),
            subject: "erasure".to_owned(),
            tenant: String::new(),
            actor: "system".to_owned(),
            request_id: String::new(),
            traceparent: None,
            client: None,
        };
        let headers = envelope
            .headers()
            .iter()
            .fold(OwnedHeaders::new(), |headers, (key, value)| headers.insert(Header { key, value: Some(value) }));
        let topic = self.settings.topic(topics::WORKSPACE);
        let value = event.encode()?;
        let record: FutureRecord<'_, (), Vec<u8>> = FutureRecord::to(&topic)
            .partition(topics::tenant_partition("", topics::PARTITIONS))
            .payload(&value)
            .headers(headers);
        self.producer
            .send(record, Duration::from_secs(10))
            .await
            .map_err(|(cause, _)| cause)
            .context("the erasure was not recorded")?;
        Ok(())
    }
}

/// Behind the last of each partition.
fn frontiers(places: impl Iterator<Item = (i32, i64)>) -> Vec<Frontier> {
    let mut upto: HashMap<i32, i64> = HashMap::new();
    for (partition, offset) in places {
        let next = upto.entry(partition).or_default();
        *next = (*next).max(offset + 1);
    }
    upto.into_iter().map(|(partition, offset)| Frontier { partition, offset }).collect()
}
