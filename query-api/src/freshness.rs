//! Read your writes: a read waits, bounded, until the projections that it draws on have reached what the caller names,
//! or, before a 404, what the log held when the question arrived.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::HeaderMap;
use rdkafka::consumer::{BaseConsumer, Consumer};
use runtime::kafka::consumer_config;
use runtime::position::{Record, Signer, Topic};
use runtime::{Problem, Settings, flushes};
use schemas::topics;
use tokio::sync::Mutex;

use crate::stores::{ClickHouse, Postgres};

/// Waiters share one look at the checkpoints of this age.
const SHARED: Duration = Duration::from_millis(40);

/// A look at the checkpoints.
struct Seen {
    at: Instant,
    /// The flushes of this process before it.
    flushes: u64,
    /// Partition → next offset.
    next: HashMap<i32, i64>,
}

pub struct Freshness {
    clickhouse: ClickHouse,
    postgres: Postgres,
    bound: Duration,
    log: Arc<BaseConsumer>,
    telemetry: String,
    workspace: String,
    seen: [Mutex<Option<Seen>>; 2],
}

impl Freshness {
    pub fn new(settings: &Settings, clickhouse: ClickHouse, postgres: Postgres) -> anyhow::Result<Freshness> {
        Ok(Freshness {
            clickhouse,
            postgres,
            bound: settings.freshness_wait(),
            log: Arc::new(consumer_config(settings, "retrace-watermarks").create()?),
            telemetry: settings.topic(topics::TELEMETRY),
            workspace: settings.topic(topics::WORKSPACE),
            seen: [Mutex::new(None), Mutex::new(None)],
        })
    }

    /// Waits for the positions in `x-retrace-after`, of the topic that the answer draws on.
    pub async fn after(&self, signer: &Signer, headers: &HeaderMap, topic: Topic) -> Result<(), Problem> {
        for value in headers.get_all("x-retrace-after") {
            let text =
                value.to_str().map_err(|_| Problem::bad_request("x-retrace-after is not a position of this server"))?;
            for record in signer.read_positions(text)?.records {
                if record.topic == topic {
                    self.reach(record).await?;
                }
            }
        }
        Ok(())
    }

    /// Waits until the projection has reached the log's end as of the call. An id that is still absent after that is a
    /// 404; what was looked at before it may be older.
    pub async fn caught_up(&self, topic: Topic, partition: i32) -> Result<(), Problem> {
        let end = self.end(topic, partition).await?;
        self.reach(Record { topic, partition, offset: end - 1 }).await
    }

    async fn reach(&self, record: Record) -> Result<(), Problem> {
        let deadline = Instant::now() + self.bound;
        loop {
            let before = flushes::count();
            if self.reached(record).await? {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(Problem::unavailable("The projection has not reached this position yet", 1));
            }
            flushes::next(before, SHARED).await;
        }
    }

    async fn reached(&self, record: Record) -> Result<bool, Problem> {
        let slot = &self.seen[record.topic as usize];
        let mut seen = slot.lock().await;
        let flushes = flushes::count();
        if let Some(seen) = seen.as_ref() {
            let reached = seen.next.get(&record.partition).is_some_and(|next| *next > record.offset);
            // Checkpoints only move forward: what was reached stays reached.
            if reached || (seen.at.elapsed() < SHARED && seen.flushes == flushes) {
                return Ok(reached);
            }
        }
        let next: HashMap<i32, i64> = match record.topic {
            Topic::Telemetry => self.clickhouse.checkpoints().await?,
            Topic::Workspace => self.postgres.checkpoints().await?,
        }
        .into_iter()
        .collect();
        let reached = record.offset < 0 || next.get(&record.partition).is_some_and(|next| *next > record.offset);
        *seen = Some(Seen { at: Instant::now(), flushes, next });
        Ok(reached)
    }

    /// The offset after the partition's last record.
    async fn end(&self, topic: Topic, partition: i32) -> Result<i64, Problem> {
        let log = Arc::clone(&self.log);
        let name = match topic {
            Topic::Telemetry => self.telemetry.clone(),
            Topic::Workspace => self.workspace.clone(),
        };
        let asked = tokio::task::spawn_blocking(move || log.fetch_watermarks(&name, partition, Duration::from_secs(2)));
        let (_, high) = asked.await.map_err(Problem::internal)?.map_err(|cause| Problem::store_down("Kafka", cause))?;
        Ok(high)
    }
}
