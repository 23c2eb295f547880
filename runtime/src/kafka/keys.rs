//! Finds sealing keys by the offset that a record names. Keys are written in about the order of the events that use
//! them: all partitions are read forward side by side, and what is read stays in one bounded cache.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use lru::LruCache;
use rdkafka::message::BorrowedMessage;
use rdkafka::{Message, Offset};
use schemas::sealing::{self, Sealed};
use schemas::topics;

use super::{LogConsumer, Next, stream_config};
use crate::Settings;

/// A wanted key this far ahead of the reader is read towards; farther, or behind, the reader seeks.
const READ_AHEAD: i64 = 20_000;
/// Keys before a partition's end that are read unasked.
const TAIL: i64 = 1_000;
/// Short of what delays a shutdown; whoever asks again goes on from there.
const FETCH_TIMEOUT: Duration = Duration::from_secs(2);

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
        let config = stream_config(settings, "retrace-keys");
        let consumer = LogConsumer::new(config).context("the keys consumer cannot be created")?;
        let reader = KeyReader {
            consumer,
            topic: settings.topic(topics::KEYS),
            cache: LruCache::new(NonZeroUsize::new(settings.sealing_key_cache).unwrap_or(NonZeroUsize::MIN)),
            read: HashMap::new(),
            lost: false,
        };
        reader.assign()?;
        Ok(reader)
    }

    /// The secret of a sealed content; `None` once it has been erased. Blocks on Kafka.
    pub fn secret(&mut self, partition: i32, sealed: &Sealed) -> anyhow::Result<Option<[u8; 32]>> {
        self.secret_of(partition, sealed.key_id.into_array(), sealed.key_offset)
    }

    /// As [`Self::secret`], of a key by its id and its offset.
    pub fn secret_of(&mut self, partition: i32, id: [u8; 16], offset: i64) -> anyhow::Result<Option<[u8; 32]>> {
        if let Some(secret) = self.cache.get(&id) {
            return Ok(Some(*secret));
        }
        let passed = self.read.get(&partition).is_some_and(|read| (read.from..read.next).contains(&offset));
        if !passed || self.lost {
            self.read_to(partition, offset)?;
        }
        Ok(self.cache.get(&id).copied())
    }

    /// Reads into the cache up to and including the offset.
    fn read_to(&mut self, partition: i32, offset: i64) -> anyhow::Result<()> {
        // Of a partition of which nothing was read yet, its tail is under way.
        let is_near = |read: &Stretch| read.next <= offset && offset - read.next < READ_AHEAD;
        let mut fresh = !self.read.get(&partition).is_none_or(is_near);
        if fresh {
            self.seek(partition, offset)?;
        }
        let deadline = Instant::now() + FETCH_TIMEOUT;
        loop {
            match self.consumer.poll() {
                Ok(Some(Next::Record(message))) => {
                    let place = (message.partition(), message.offset());
                    let key = key_of(&message);
                    let from = self.note(place.0, place.1, key);
                    if place.0 != partition || place.1 < offset {
                        continue;
                    }
                    if from <= offset || fresh {
                        return Ok(());
                    }
                    fresh = true;
                    self.seek(partition, offset)?;
                }
                Ok(Some(next)) if fresh && next.is_end_of(partition) => return Ok(()),
                Ok(None) if Instant::now() > deadline => {
                    bail!("the keys topic did not answer in {} s", FETCH_TIMEOUT.as_secs());
                }
                // An end that was reached before this read began may still be queued, or was passed while another
                // partition was read: only one behind a fresh seek means that nothing is left at or after the offset,
                // since the key was acknowledged before the record.
                Ok(ended) if !fresh && ended.as_ref().is_none_or(|next| next.is_end_of(partition)) => {
                    fresh = true;
                    self.seek(partition, offset)?;
                }
                Err(cause) => {
                    self.read.clear();
                    return Err(cause).context("the keys topic cannot be read");
                }
                Ok(_) => {}
            }
        }
    }

    /// From where on this partition has been read.
    fn note(&mut self, partition: i32, offset: i64, key: Option<([u8; 16], [u8; 32])>) -> i64 {
        if let Some((id, secret)) = key {
            self.lost |= self.cache.push(id, secret).is_some_and(|(evicted, _)| evicted != id);
        }
        let read = self.read.entry(partition).or_insert(Stretch { from: offset, next: offset });
        read.next = offset + 1;
        read.from
    }

    /// Goes on from the offset in this partition, and in the others from where they are.
    fn seek(&mut self, partition: i32, offset: i64) -> anyhow::Result<()> {
        self.read.insert(partition, Stretch { from: offset, next: offset });
        self.assign()
    }

    /// All partitions at once: each that is added later waits for the fetches of the others. Where nothing was read yet,
    /// the keys that are wanted first are most likely the newest.
    fn assign(&self) -> anyhow::Result<()> {
        let starts = (0..topics::PARTITIONS).map(|partition| match self.read.get(&partition) {
            Some(read) => (partition, Offset::Offset(read.next)),
            None => (partition, Offset::OffsetTail(TAIL)),
        });
        Ok(self.consumer.assign(&self.topic, starts)?)
    }
}

fn key_of(message: &BorrowedMessage<'_>) -> Option<([u8; 16], [u8; 32])> {
    let (_, _, id) = sealing::parse_key_record_key(message.key()?)?;
    Some((id, message.payload()?.try_into().ok()?))
}
