//! Finds sealing keys by the offset that a record names. Keys are written in about the order of the events that use
//! them: all partitions are read forward side by side, and what is read stays in one bounded cache.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use lru::LruCache;
use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaError;
use rdkafka::message::BorrowedMessage;
use rdkafka::{Message, Offset, TopicPartitionList};
use schemas::sealing::{self, Sealed};
use schemas::topics;

use super::LogConsumer;
use crate::Settings;

/// A wanted key this far ahead of the reader is read towards; farther, or behind, the reader seeks.
const READ_AHEAD: i64 = 20_000;
const FETCH_TIMEOUT: Duration = Duration::from_secs(10);

pub struct KeyReader {
    consumer: LogConsumer,
    topic: String,
    cache: LruCache<[u8; 16], [u8; 32]>,
    /// Partition → what was read of it without a gap.
    read: HashMap<i32, Stretch>,
    /// Something fell out of the cache: what is not in it is not erased for that.
    lost: bool,
}

/// From one offset to before the next one to read.
#[derive(Clone, Copy)]
struct Stretch {
    from: i64,
    next: i64,
}

impl KeyReader {
    pub fn new(settings: &Settings) -> anyhow::Result<KeyReader> {
        let consumer = super::stream_config(settings, "retrace-keys")
            .set("enable.partition.eof", "true")
            .create_with_context(super::Errors)
            .context("the keys consumer cannot be created")?;
        Ok(KeyReader {
            consumer,
            topic: settings.topic(topics::KEYS),
            cache: LruCache::new(NonZeroUsize::new(settings.sealing_key_cache).unwrap_or(NonZeroUsize::MIN)),
            read: HashMap::new(),
            lost: false,
        })
    }

    /// The secret of a sealed content; `None` once it has been erased. Blocks on Kafka.
    pub fn secret(&mut self, partition: i32, sealed: &Sealed) -> anyhow::Result<Option<[u8; 32]>> {
        let id = sealed.key_id.into_array();
        if let Some(secret) = self.cache.get(&id) {
            return Ok(Some(*secret));
        }
        let offset = sealed.key_offset;
        let passed = self.read.get(&partition).is_some_and(|read| (read.from..read.next).contains(&offset));
        if !passed || self.lost {
            self.read_to(partition, offset)?;
        }
        Ok(self.cache.get(&id).copied())
    }

    /// Reads into the cache up to and including the offset.
    fn read_to(&mut self, partition: i32, offset: i64) -> anyhow::Result<()> {
        let is_near = |read: &Stretch| read.next <= offset && offset - read.next < READ_AHEAD;
        let mut fresh = !self.read.get(&partition).is_some_and(is_near);
        if fresh {
            self.seek(partition, offset)?;
        }
        let deadline = Instant::now() + FETCH_TIMEOUT;
        loop {
            match self.consumer.poll(Duration::from_millis(200)) {
                Some(Ok(message)) => {
                    let place = (message.partition(), message.offset());
                    let key = key_of(&message);
                    self.note(place.0, place.1, key);
                    if place.0 == partition && place.1 >= offset {
                        return Ok(());
                    }
                }
                // An end that was reached before this read began may still be queued: only one behind a fresh seek
                // means that nothing is left at or after the offset, since the key was acknowledged before the record.
                Some(Err(KafkaError::PartitionEOF(end))) if end == partition => {
                    if fresh {
                        return Ok(());
                    }
                    fresh = true;
                    self.seek(partition, offset)?;
                }
                Some(Err(KafkaError::PartitionEOF(_))) => {}
                Some(Err(cause)) => {
                    self.read.clear();
                    return Err(cause).context("the keys topic cannot be read");
                }
                None if Instant::now() > deadline => {
                    self.read.clear();
                    bail!("the keys topic did not answer in {} s", FETCH_TIMEOUT.as_secs());
                }
                None => {}
            }
        }
    }

    fn note(&mut self, partition: i32, offset: i64, key: Option<([u8; 16], [u8; 32])>) {
        if let Some(read) = self.read.get_mut(&partition) {
            read.next = offset + 1;
        }
        if let Some((id, secret)) = key {
            self.lost |= self.cache.push(id, secret).is_some_and(|(evicted, _)| evicted != id);
        }
    }

    /// Goes on from the offset in this partition, and in the others from where they are.
    fn seek(&mut self, partition: i32, offset: i64) -> anyhow::Result<()> {
        self.read.insert(partition, Stretch { from: offset, next: offset });
        let mut list = TopicPartitionList::new();
        for (partition, read) in &self.read {
            list.add_partition_offset(&self.topic, *partition, Offset::Offset(read.next))?;
        }
        self.consumer.assign(&list)?;
        Ok(())
    }
}

fn key_of(message: &BorrowedMessage<'_>) -> Option<([u8; 16], [u8; 32])> {
    let (_, _, id) = sealing::parse_key_record_key(message.key()?)?;
    Some((id, message.payload()?.try_into().ok()?))
}
