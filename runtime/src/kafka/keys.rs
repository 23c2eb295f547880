//! Finds sealing keys by the offset that a record names. Keys are written in about the order of the events that use
//! them, so that reading on from the last one found is nearly always right; memory is one bounded cache.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use lru::LruCache;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::{Message, Offset, TopicPartitionList};
use schemas::sealing::{self, Sealed};
use schemas::topics;

use crate::Settings;

/// A wanted key this far ahead of the reader is read towards; farther, or behind, the reader seeks.
const READ_AHEAD: i64 = 2_000;
const FETCH_TIMEOUT: Duration = Duration::from_secs(10);

pub struct KeyReader {
    consumer: BaseConsumer,
    topic: String,
    cache: LruCache<[u8; 16], [u8; 32]>,
    /// Partition and the offset that the next poll returns.
    at: Option<(i32, i64)>,
}

impl KeyReader {
    pub fn new(settings: &Settings) -> anyhow::Result<KeyReader> {
        let consumer: BaseConsumer = super::consumer_config(settings, "retrace-keys")
            .set("fetch.wait.max.ms", "10")
            .set("enable.partition.eof", "true")
            .create()
            .context("the keys consumer cannot be created")?;
        Ok(KeyReader {
            consumer,
            topic: settings.topic(topics::KEYS),
            cache: LruCache::new(NonZeroUsize::new(settings.sealing_key_cache).unwrap_or(NonZeroUsize::MIN)),
            at: None,
        })
    }

    /// The secret of a sealed content; `None` once it has been erased. Blocks on Kafka.
    pub fn secret(&mut self, partition: i32, sealed: &Sealed) -> anyhow::Result<Option<[u8; 32]>> {
        let id = sealed.key_id.into_array();
        if let Some(secret) = self.cache.get(&id) {
            return Ok(Some(*secret));
        }
        self.read_to(partition, sealed.key_offset)?;
        Ok(self.cache.get(&id).copied())
    }

    /// Forgets what was read: after an erasure, and when a partition moves away.
    pub fn clear(&mut self) {
        self.cache.clear();
    }

    fn seek(&mut self, partition: i32, offset: i64) -> anyhow::Result<()> {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&self.topic, partition, Offset::Offset(offset))?;
        self.consumer.assign(&list)?;
        self.at = Some((partition, offset));
        Ok(())
    }

    /// Reads into the cache up to and including the offset.
    fn read_to(&mut self, partition: i32, offset: i64) -> anyhow::Result<()> {
        let near = matches!(self.at, Some((p, next)) if p == partition && next <= offset && offset - next < READ_AHEAD);
        let mut fresh = !near;
        if fresh {
            self.seek(partition, offset)?;
        }
        let deadline = Instant::now() + FETCH_TIMEOUT;
        loop {
            match self.consumer.poll(Duration::from_millis(200)) {
                Some(Ok(message)) => {
                    let found = message.offset();
                    self.at = Some((partition, found + 1));
                    if let (Some(key), Some(value)) = (message.key(), message.payload())
                        && let (Some((_, _, id)), Ok(secret)) = (sealing::parse_key_record_key(key), value.try_into())
                        && found <= offset + READ_AHEAD
                    {
                        self.cache.put(id, secret);
                    }
                    if found >= offset {
                        return Ok(());
                    }
                }
                // An end that was reached before this read began may still be queued: only one behind a fresh seek
                // means that nothing is left at or after the offset, since the key was acknowledged before the record.
                Some(Err(KafkaError::PartitionEOF(_))) if !fresh => {
                    fresh = true;
                    self.seek(partition, offset)?;
                }
                Some(Err(KafkaError::PartitionEOF(_))) => {
                    self.at = None;
                    return Ok(());
                }
                Some(Err(cause)) => {
                    self.at = None;
                    return Err(cause).context("the keys topic cannot be read");
                }
                None if Instant::now() > deadline => {
                    self.at = None;
                    bail!("the keys topic did not answer in {} s", FETCH_TIMEOUT.as_secs());
                }
                None => {}
            }
        }
    }
}
