//! Read your writes: a read waits, bounded, until the projections that it draws on have reached what the caller names,
//! or, before a 404, what the log held when the question arrived.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::HeaderMap;
use rdkafka::consumer::{BaseConsumer, Consumer};
use runtime::kafka::consumer_config;
use runtime::position::{Record, Signer, Topic};
use runtime::progress::Progress;
use runtime::{Problem, Settings, flushes};
use schemas::topics;

use crate::stores::{ClickHouse, Postgres};

/// Waiters share one look at the checkpoints of this age.
const SHARED: Duration = Duration::from_millis(40);

pub struct Freshness {
    clickhouse: ClickHouse,
    postgres: Postgres,
    bound: Duration,
    log: Arc<BaseConsumer>,
    telemetry: String,
    workspace: String,
    progress: [Progress; 2],
    audited: [Progress; 2],
}

/// Which of those that fold a topic.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Its,
    Audit,
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
            progress: Default::default(),
            audited: Default::default(),
        })
    }

    /// Waits for the positions in `x-retrace-after`, of the topic that the answer draws on.
    pub async fn after(&self, signer: &Signer, headers: &HeaderMap, topic: Topic) -> Result<(), Problem> {
        for record in named(signer, headers)?.into_iter().filter(|record| record.topic == topic) {
            self.reach(record, By::Its).await?;
        }
        Ok(())
    }

    /// As [`Self::after`], for an answer of the audit. What came of the workspace's commands belongs to it.
    pub async fn audited_after(&self, signer: &Signer, headers: &HeaderMap) -> Result<(), Problem> {
        for record in named(signer, headers)? {
            self.reach(record, By::Audit).await?;
            if record.topic == Topic::Workspace {
                self.reach(record, By::Its).await?;
            }
        }
        Ok(())
    }

    /// Waits until the projection has reached the log's end as of the call. An id that is still absent after that is a
    /// 404; what was looked at before it may be older.
    pub async fn caught_up(&self, topic: Topic, partition: i32) -> Result<(), Problem> {
        let end = self.end(topic, partition).await?;
        self.reach(Record { topic, partition, offset: end - 1 }, By::Its).await
    }

    async fn reach(&self, record: Record, by: By) -> Result<(), Problem> {
        let deadline = Instant::now() + self.bound;
        loop {
            let before = flushes::count();
            if self.reached(record, by).await? {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(Problem::unavailable("The projection has not reached this position yet", 1));
            }
            flushes::next(before, SHARED).await;
        }
    }

    async fn reached(&self, record: Record, by: By) -> Result<bool, Problem> {
        let look = async {
            let next = match (by, record.topic) {
                (By::Its, Topic::Telemetry) => self.clickhouse.checkpoints().await?,
                (By::Its, Topic::Workspace) => self.postgres.checkpoints().await?,
                (By::Audit, Topic::Telemetry) => self.clickhouse.audit_checkpoints(topics::TELEMETRY).await?,
                (By::Audit, Topic::Workspace) => self.clickhouse.audit_checkpoints(topics::WORKSPACE).await?,
            };
            Ok(next.into_iter().collect::<HashMap<i32, i64>>())
        };
        let progress = if by == By::Its { &self.progress } else { &self.audited };
        progress[record.topic as usize].has_reached(record, SHARED, look).await
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

/// The positions that a request names.
fn named(signer: &Signer, headers: &HeaderMap) -> Result<Vec<Record>, Problem> {
    let mut records = Vec::new();
    for value in headers.get_all("x-retrace-after") {
        let text =
            value.to_str().map_err(|_| Problem::bad_request("x-retrace-after is not a position of this server"))?;
        records.extend(signer.read_positions(text)?.records);
    }
    Ok(records)
}
