//! Follows a topic from given offsets on a thread of its own, in this process only: what must be known at once, such
//! as a revoked key, comes straight from the log.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::Context;
use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaError;
use rdkafka::{Message, Offset, TopicPartitionList};
use schemas::Event;
use tokio_util::sync::CancellationToken;

use super::{Errors, LogConsumer, Received, follower_config};
use crate::Settings;

/// Applies every record from `from` (partition, next offset) on, until stopped. Events of unknown kinds are skipped:
/// by the header alone they cannot concern this version. `caught_up` is called once, when all that was there at the start
/// is applied.
pub fn follow(
    settings: &Settings,
    topic: &str,
    from: Vec<(i32, i64)>,
    stop: CancellationToken,
    mut apply: impl FnMut(&Received, Event) + Send + 'static,
    caught_up: impl FnOnce() + Send + 'static,
) -> anyhow::Result<std::thread::JoinHandle<()>> {
    let consumer: LogConsumer = follower_config(settings, "retrace-follower")
        .set("enable.partition.eof", "true")
        // A snapshot that is ahead of the log was not made of it: then the log alone says what is in force.
        .set("auto.offset.reset", "earliest")
        .create_with_context(Errors)
        .context("the follower cannot be created")?;
    let mut behind: HashSet<i32> = from.iter().map(|(partition, _)| *partition).collect();
    let mut caught_up = Some(caught_up);
    let mut list = TopicPartitionList::new();
    let topic = settings.topic(topic);
    for (partition, offset) in from {
        list.add_partition_offset(&topic, partition, Offset::Offset(offset))?;
    }
    consumer.assign(&list)?;
    let thread = std::thread::Builder::new().name("follower".into()).spawn(move || {
        while !stop.is_cancelled() {
            match consumer.poll(Duration::from_millis(100)) {
                None => {}
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    behind.remove(&partition);
                    if behind.is_empty()
                        && let Some(caught_up) = caught_up.take()
                    {
                        caught_up();
                    }
                }
                Some(Err(cause)) => tracing::warn!(%cause, topic, "following the log"),
                Some(Ok(message)) => match Received::read(&message) {
                    Ok(record) => match Event::decode(&record.envelope.kind, &record.value) {
                        Some(Ok(event)) => apply(&record, event),
                        Some(Err(cause)) => {
                            tracing::warn!(%cause, topic, offset = message.offset(), "unreadable event")
                        }
                        None => {}
                    },
                    Err(cause) => tracing::warn!(%cause, topic, offset = message.offset(), "unreadable record"),
                },
            }
        }
    })?;
    Ok(thread)
}
