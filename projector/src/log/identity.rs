//! Which log a partition belongs to, and whether a checkpoint fits it.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{Message, Offset, TopicPartitionList};
use runtime::Settings;
use runtime::kafka::{Received, consumer_config};
use schemas::Event;
use schemas::events::LogCreated;

use crate::Checkpoint;
use crate::pipeline::Mismatch;

const TIMEOUT: Duration = Duration::from_secs(10);

pub struct LogReader {
    consumer: BaseConsumer,
    topic: String,
}

impl LogReader {
    pub fn new(settings: &Settings, topic: &str) -> anyhow::Result<LogReader> {
        let consumer = consumer_config(settings, "retrace-identity")
            .set("enable.partition.eof", "true")
            .create()
            .context("the consumer cannot be created")?;
        Ok(LogReader { consumer, topic: settings.topic(topic) })
    }

    /// The partition's first record. A log whose beginning is missing is refused.
    pub fn created(&self, partition: i32) -> anyhow::Result<LogCreated> {
        let (low, high) = self.watermarks(partition)?;
        if low > 0 || high == 0 {
            let sentence = "is missing: a projection of it would be wrong";
            return Err(Mismatch(format!("the beginning of {} partition {partition} {sentence}", self.topic)).into());
        }
        let first = self.record(partition, 0)?;
        match first.map(|record| (Event::decode(&record.envelope.kind, &record.value), record)) {
            Some((Some(Ok(Event::LogCreated(created))), _)) => Ok(created),
            _ => Err(Mismatch(format!(
                "{} partition {partition} does not begin with a `log.created` record",
                self.topic
            ))
            .into()),
        }
    }

    pub fn watermarks(&self, partition: i32) -> anyhow::Result<(i64, i64)> {
        self.consumer
            .fetch_watermarks(&self.topic, partition, TIMEOUT)
            .with_context(|| format!("{} {partition}", self.topic))
    }

    /// Whether the checkpoint was written for this log; `None` where there is no checkpoint yet.
    pub fn check(&self, partition: i32, checkpoint: Option<&Checkpoint>) -> anyhow::Result<LogCreated> {
        let created = self.created(partition)?;
        let Some(checkpoint) = checkpoint else { return Ok(created) };
        let what = |found: &str| -> anyhow::Error {
            Mismatch(format!(
                "the checkpoint of {} partition {partition} {found}; the projection does not belong to this log. \
                 If the log is right, run `retrace rebuild` for the projection",
                self.topic
            ))
            .into()
        };
        if checkpoint.log_id != created.log_id || checkpoint.partitions != created.partitions {
            return Err(what("names another log"));
        }
        let (_, high) = self.watermarks(partition)?;
        if checkpoint.next_offset > high {
            return Err(what("lies beyond the log's end"));
        }
        let last = self.record(partition, checkpoint.next_offset - 1)?;
        if last.is_none_or(|last| last.envelope.id.to_string() != checkpoint.last_event) {
            return Err(what("names an event that is not there"));
        }
        Ok(created)
    }

    /// The first offset at or after a time; `None` beyond the end.
    pub fn offset_at(&self, partition: i32, millis: i64) -> anyhow::Result<Option<i64>> {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&self.topic, partition, Offset::Offset(millis.max(0)))?;
        let found = self.consumer.offsets_for_times(list, TIMEOUT)?;
        Ok(found.elements().first().and_then(|element| match element.offset() {
            Offset::Offset(offset) if offset >= 0 => Some(offset),
            _ => None,
        }))
    }

    fn record(&self, partition: i32, offset: i64) -> anyhow::Result<Option<Received>> {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&self.topic, partition, Offset::Offset(offset))?;
        self.consumer.assign(&list)?;
        let deadline = Instant::now() + TIMEOUT;
        while Instant::now() < deadline {
            match self.consumer.poll(Duration::from_millis(200)) {
                Some(Ok(message)) if message.offset() == offset => return Ok(Received::read(&message).ok()),
                Some(Ok(_)) => return Ok(None),
                Some(Err(rdkafka::error::KafkaError::PartitionEOF(_))) => return Ok(None),
                Some(Err(cause)) => return Err(cause).with_context(|| format!("{} {partition}", self.topic)),
                None => {}
            }
        }
        bail!("{} partition {partition} did not answer in {} s", self.topic, TIMEOUT.as_secs())
    }
}
