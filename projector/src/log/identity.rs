//! Which log a partition belongs to, and whether a checkpoint fits it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rdkafka::{Message, Offset};
use runtime::Settings;
use runtime::kafka::{LogConsumer, Next, Received, consumer_config};
use schemas::Event;
use schemas::events::LogCreated;

use crate::Checkpoint;
use crate::pipeline::Mismatch;

const TIMEOUT: Duration = Duration::from_secs(10);

pub struct LogReader {
    consumer: LogConsumer,
    topic: String,
}

/// Where a projection goes on in a partition.
pub struct Start {
    pub partition: i32,
    pub offset: i64,
    pub log: LogCreated,
}

/// Of a projection in ClickHouse, which does not fsync what it acknowledges: the last rows are written again.
pub async fn starts(
    settings: &Arc<Settings>,
    topic: &'static str,
    partitions: &[i32],
    checkpoints: Vec<Checkpoint>,
) -> anyhow::Result<Vec<Start>> {
    let (settings, wanted) = (Arc::clone(settings), partitions.to_vec());
    tokio::task::spawn_blocking(move || {
        let reader = LogReader::new(&settings, topic)?;
        let mut starts = Vec::new();
        for (partition, log) in reader.check(&wanted, &checkpoints)? {
            let offset = match checkpoints.iter().find(|checkpoint| checkpoint.partition == partition) {
                None => 0,
                Some(checkpoint) => {
                    let since = checkpoint.at / 1000 - (settings.reread_seconds * 1000) as i64;
                    let again = reader.offset_at(partition, since)?;
                    again.unwrap_or(checkpoint.next_offset).min(checkpoint.next_offset)
                }
            };
            starts.push(Start { partition, offset, log });
        }
        Ok(starts)
    })
    .await?
}

impl LogReader {
    pub fn new(settings: &Settings, topic: &str) -> anyhow::Result<LogReader> {
        let config = consumer_config(settings, "retrace-identity");
        let consumer = LogConsumer::new(config).context("the consumer cannot be created")?;
        Ok(LogReader { consumer, topic: settings.topic(topic) })
    }

    /// The first record of each partition. A log whose beginning is missing is refused.
    pub fn created(&self, partitions: &[i32]) -> anyhow::Result<HashMap<i32, LogCreated>> {
        for partition in partitions {
            let (low, high) = self.watermarks(*partition)?;
            if low > 0 || high == 0 {
                let sentence = "is missing: a projection of it would be wrong";
                return Err(
                    Mismatch(format!("the beginning of {} partition {partition} {sentence}", self.topic)).into()
                );
            }
        }
        let first = self.records(partitions.iter().map(|partition| (*partition, 0)).collect())?;
        let created = |partition: &i32| {
            let record = first.get(partition).and_then(Option::as_ref);
            let decoded = record.map(|record| Event::decode(&record.envelope.kind, &record.value));
            match decoded {
                Some(Some(Ok(Event::LogCreated(created)))) => Ok((*partition, created)),
                _ => Err(Mismatch(format!(
                    "{} partition {partition} does not begin with a `log.created` record",
                    self.topic
                ))
                .into()),
            }
        };
        partitions.iter().map(created).collect()
    }

    pub fn watermarks(&self, partition: i32) -> anyhow::Result<(i64, i64)> {
        self.consumer.watermarks(&self.topic, partition, TIMEOUT).with_context(|| format!("{} {partition}", self.topic))
    }

    /// Whether the checkpoints were written for this log. A partition may have none yet.
    pub fn check(&self, partitions: &[i32], checkpoints: &[Checkpoint]) -> anyhow::Result<HashMap<i32, LogCreated>> {
        let created = self.created(partitions)?;
        let mine: Vec<&Checkpoint> =
            checkpoints.iter().filter(|checkpoint| partitions.contains(&checkpoint.partition)).collect();
        for checkpoint in &mine {
            let log = created.get(&checkpoint.partition);
            if log.is_none_or(|log| checkpoint.log_id != log.log_id || checkpoint.partitions != log.partitions) {
                return Err(self.misfit(checkpoint.partition, "names another log"));
            }
            if checkpoint.next_offset > self.watermarks(checkpoint.partition)?.1 {
                return Err(self.misfit(checkpoint.partition, "lies beyond the log's end"));
            }
        }
        let last =
            self.records(mine.iter().map(|checkpoint| (checkpoint.partition, checkpoint.next_offset - 1)).collect())?;
        for checkpoint in &mine {
            // A poison record may name no event, and neither does its checkpoint.
            let name = |record: &Option<Received>| record.as_ref().map(|record| record.envelope.id.to_string());
            let found = last.get(&checkpoint.partition).map(|record| name(record).unwrap_or_default());
            if found.as_ref() != Some(&checkpoint.last_event) {
                return Err(self.misfit(checkpoint.partition, "names an event that is not there"));
            }
        }
        Ok(created)
    }

    fn misfit(&self, partition: i32, what: &str) -> anyhow::Error {
        Mismatch(format!(
            "the checkpoint of {} partition {partition} {what}; the projection does not belong to this log. \
             If the log is right, run `retrace rebuild` for the projection",
            self.topic
        ))
        .into()
    }

    /// The first offset at or after a time; `None` beyond the end.
    pub fn offset_at(&self, partition: i32, millis: i64) -> anyhow::Result<Option<i64>> {
        Ok(self.consumer.offset_at(&self.topic, partition, millis, TIMEOUT)?)
    }

    /// The records at these offsets, read side by side; an offset without one is left out, one that cannot be read is
    /// `None`.
    fn records(&self, mut wanted: HashMap<i32, i64>) -> anyhow::Result<HashMap<i32, Option<Received>>> {
        let mut found = HashMap::new();
        let starts = wanted.iter().map(|(partition, offset)| (*partition, Offset::Offset(*offset)));
        self.consumer.assign(&self.topic, starts)?;
        let deadline = Instant::now() + TIMEOUT;
        while !wanted.is_empty() {
            match self.consumer.poll().with_context(|| format!("{} cannot be read", self.topic))? {
                Some(Next::Record(message)) => {
                    let partition = message.partition();
                    if wanted.remove(&partition) == Some(message.offset()) {
                        found.insert(partition, Received::read(&message).ok());
                    }
                }
                Some(Next::End(partition)) => drop(wanted.remove(&partition)),
                None if Instant::now() > deadline => {
                    bail!("{} did not answer in {} s", self.topic, TIMEOUT.as_secs())
                }
                None => {}
            }
        }
        Ok(found)
    }
}
