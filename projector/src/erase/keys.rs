//! The sealing keys of deleted traces and resources: found by one pass over the keys topic, then buried under tombstones.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{Message, Offset};
use runtime::Settings;
use runtime::kafka::{LogConsumer, Next, consumer_config};
use schemas::{sealing, topics};
use time::OffsetDateTime;

/// A key that still stands in the topic's files.
#[derive(Clone, Debug)]
pub struct Key {
    pub partition: i32,
    pub offset: i64,
    record_key: Vec<u8>,
}

/// Whose content is sealed under a key.
#[derive(Clone, Debug)]
pub struct Owner {
    pub partition: i32,
    pub tenant: String,
    /// A trace's id, or the path of a resource.
    pub name: String,
}

const PATIENCE: Duration = Duration::from_secs(60);
const WATERMARKS: Duration = Duration::from_secs(10);

/// As many tombstones are under way at once: a resource of many parts has as many keys.
const AT_ONCE: usize = 10_000;

/// Writes a tombstone for every key of the owners and of their parts; returns the keys that were there.
pub async fn bury(settings: &Settings, producer: &FutureProducer, owners: &[Owner]) -> anyhow::Result<Vec<Key>> {
    let mut wanted: HashMap<i32, HashSet<(String, String)>> = HashMap::new();
    for owner in owners {
        wanted.entry(owner.partition).or_default().insert((owner.tenant.clone(), owner.name.clone()));
    }
    let scanned = settings.clone();
    let keys = tokio::task::spawn_blocking(move || {
        let consumer = LogConsumer::new(consumer_config(&scanned, "retrace-eraser"))?;
        let topic = scanned.topic(topics::KEYS);
        let mut keys = Vec::new();
        for (partition, owners) in wanted {
            let is_wanted = |tenant: &str, name: &str| {
                let is_one = |name: &str| owners.contains(&(tenant.to_owned(), name.to_owned()));
                is_one(name) || sealing::whole_of(name).is_some_and(is_one)
            };
            scan(&consumer, &topic, (partition, None), is_wanted, &mut keys)?;
        }
        anyhow::Ok(keys)
    })
    .await??;
    bury_keys(settings, producer, &keys).await?;
    Ok(keys)
}

/// As [`bury`], of the owners that `is_wanted` names, among the keys that were made before a time.
pub async fn bury_older(
    settings: &Settings,
    producer: &FutureProducer,
    before: OffsetDateTime,
    is_wanted: impl Fn(&str) -> bool + Send + 'static,
) -> anyhow::Result<Vec<Key>> {
    let scanned = settings.clone();
    let keys = tokio::task::spawn_blocking(move || {
        let consumer = LogConsumer::new(consumer_config(&scanned, "retrace-eraser"))?;
        let topic = scanned.topic(topics::KEYS);
        let millis = (before.unix_timestamp_nanos() / 1_000_000) as i64;
        let mut keys = Vec::new();
        for partition in 0..topics::PARTITIONS {
            let end = consumer.watermarks(&topic, partition, WATERMARKS)?.1;
            // Of a young log nothing is read.
            let upto = consumer.offset_at(&topic, partition, millis, WATERMARKS)?.unwrap_or(end);
            if upto > 0 {
                scan(&consumer, &topic, (partition, Some(upto)), |_, name| is_wanted(name), &mut keys)?;
            }
        }
        anyhow::Ok(keys)
    })
    .await??;
    bury_keys(settings, producer, &keys).await?;
    Ok(keys)
}

async fn bury_keys(settings: &Settings, producer: &FutureProducer, keys: &[Key]) -> anyhow::Result<()> {
    let topic = settings.topic(topics::KEYS);
    for keys in keys.chunks(AT_ONCE) {
        let tombstones = keys.iter().map(|key| {
            let record: FutureRecord<'_, Vec<u8>, Vec<u8>> =
                FutureRecord::to(&topic).partition(key.partition).key(&key.record_key);
            producer.send(record, Duration::from_secs(10))
        });
        for sent in futures::future::join_all(tombstones).await {
            sent.map_err(|(cause, _)| cause).context("a key's tombstone was not taken")?;
        }
    }
    Ok(())
}

/// `upto`: the first offset that is not looked at; nothing: all of the partition.
fn scan(
    consumer: &LogConsumer,
    topic: &str,
    (partition, upto): (i32, Option<i64>),
    is_wanted: impl Fn(&str, &str) -> bool,
    keys: &mut Vec<Key>,
) -> anyhow::Result<()> {
    consumer.assign(topic, [(partition, Offset::Beginning)])?;
    let mut heard = Instant::now();
    loop {
        match consumer.poll() {
            Ok(Some(Next::Record(message))) if upto.is_some_and(|upto| message.offset() >= upto) => return Ok(()),
            Ok(Some(Next::Record(message))) => {
                heard = Instant::now();
                let Some(record_key) = message.key().filter(|_| message.payload().is_some()) else { continue };
                let Some((tenant, name, _)) = sealing::parse_key_record_key(record_key) else { continue };
                if is_wanted(tenant, name) {
                    keys.push(Key { partition, offset: message.offset(), record_key: record_key.to_vec() });
                }
            }
            Ok(Some(Next::End(_))) => return Ok(()),
            Err(cause) => return Err(cause).context("the keys topic cannot be read"),
            Ok(None) if heard.elapsed() > PATIENCE => {
                bail!("the keys topic did not answer in {} s", PATIENCE.as_secs())
            }
            Ok(None) => {}
        }
    }
}
