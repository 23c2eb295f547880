//! The sealing keys of deleted traces and resources: found by one pass over the keys topic, then buried under tombstones.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{Message, Offset};
use runtime::Settings;
use runtime::kafka::{LogConsumer, Next, consumer_config};
use schemas::{sealing, topics};

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

/// Writes a tombstone for every key of the owners; returns the keys that were there.
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
            scan(&consumer, &topic, partition, &owners, &mut keys)?;
        }
        anyhow::Ok(keys)
    })
    .await??;
    let topic = settings.topic(topics::KEYS);
    let tombstones = keys.iter().map(|key| {
        let record: FutureRecord<'_, Vec<u8>, Vec<u8>> =
            FutureRecord::to(&topic).partition(key.partition).key(&key.record_key);
        producer.send(record, Duration::from_secs(10))
    });
    for sent in futures::future::join_all(tombstones).await {
        sent.map_err(|(cause, _)| cause).context("a key's tombstone was not taken")?;
    }
    Ok(keys)
}

fn scan(
    consumer: &LogConsumer,
    topic: &str,
    partition: i32,
    owners: &HashSet<(String, String)>,
    keys: &mut Vec<Key>,
) -> anyhow::Result<()> {
    consumer.assign(topic, [(partition, Offset::Beginning)])?;
    let mut heard = Instant::now();
    loop {
        match consumer.poll() {
            Ok(Some(Next::Record(message))) => {
                heard = Instant::now();
                let Some(record_key) = message.key().filter(|_| message.payload().is_some()) else { continue };
                let Some((tenant, name, _)) = sealing::parse_key_record_key(record_key) else { continue };
                if owners.contains(&(tenant.to_owned(), name.to_owned())) {
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
