//! Kafka's log cleaner, woken for one pass. The sequence is the one that rewrites each partition once under live traffic:
//! settings, a nudge that rolls the active segment, rolling off again, wait, back to sleep.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use migrations::topics::{Cleaner, keys_topic};
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{Message, Offset};
use runtime::Settings;
use runtime::kafka::{LogConsumer, Next, client_config, consumer_config};
use schemas::{sealing, topics};

use super::keys::Key;

const WITHIN: Duration = Duration::from_secs(120);
/// A segment rolls when its first record is this old and another one comes.
const ROLL: Duration = Duration::from_millis(1_500);
/// How long a changed setting takes to arrive.
const SPREAD: Duration = Duration::from_millis(1_000);
const LOOK: Duration = Duration::from_millis(500);
const NUDGE_EVERY: u32 = 8;

/// Returns once none of the keys can be read from the topic any more.
pub async fn clean(settings: &Settings, producer: &FutureProducer, keys: &[Key]) -> anyhow::Result<()> {
    let mut last: HashMap<i32, i64> = HashMap::new();
    for key in keys {
        let offset = last.entry(key.partition).or_default();
        *offset = (*offset).max(key.offset);
    }
    if last.is_empty() {
        return Ok(());
    }
    tokio::time::sleep(ROLL).await;
    let cleaned = cleaned(settings, producer, &last).await;
    // Whatever came of it, the cleaner goes back to sleep: awake it would rewrite history for every new segment.
    configure(settings, Cleaner::Asleep).await?;
    cleaned
}

async fn cleaned(settings: &Settings, producer: &FutureProducer, last: &HashMap<i32, i64>) -> anyhow::Result<()> {
    let topic = settings.topic(topics::KEYS);
    let deadline = Instant::now() + WITHIN;
    for round in 0u32.. {
        // The setting reaches the brokers some time after it was taken, so that a nudge may come too early; it is
        // repeated now and then, but rolling never stays on: every roll would cost a pass.
        if round % NUDGE_EVERY == 0 {
            configure(settings, Cleaner::Rolling).await?;
            tokio::time::sleep(SPREAD).await;
            nudge(producer, &topic, last.keys()).await?;
            configure(settings, Cleaner::Awake).await?;
        }
        tokio::time::sleep(LOOK).await;
        let mut left = Vec::new();
        for (partition, offset) in last {
            if stands(settings, *partition, *offset).await? {
                left.push(*partition);
            }
        }
        if left.is_empty() {
            return Ok(());
        }
        if Instant::now() > deadline {
            bail!("Kafka has not cleaned the keys topic's partitions {left:?} in {} s", WITHIN.as_secs());
        }
    }
    Ok(())
}

async fn configure(settings: &Settings, cleaner: Cleaner) -> anyhow::Result<()> {
    let admin: AdminClient<DefaultClientContext> = client_config(settings).create()?;
    let topic = settings.topic(topics::KEYS);
    let values = keys_topic(settings, cleaner);
    let alter = values
        .iter()
        .fold(AlterConfig::new(ResourceSpecifier::Topic(&topic)), |alter, (key, value)| alter.set(key, value));
    let options = AdminOptions::new().request_timeout(Some(Duration::from_secs(10)));
    for result in admin.alter_configs([&alter], &options).await.context("the keys topic cannot be configured")? {
        result.map_err(|(_, code)| anyhow::anyhow!("Kafka refuses the keys topic's settings: {code}"))?;
    }
    Ok(())
}

async fn nudge(producer: &FutureProducer, topic: &str, partitions: impl Iterator<Item = &i32>) -> anyhow::Result<()> {
    let key = sealing::key_record_key("", "nudge", &[0; 16]);
    for partition in partitions {
        let record: FutureRecord<'_, Vec<u8>, Vec<u8>> = FutureRecord::to(topic).partition(*partition).key(&key);
        producer
            .send(record, Duration::from_secs(10))
            .await
            .map_err(|(cause, _)| cause)
            .context("the nudge was not taken")?;
    }
    Ok(())
}

/// Whether the record at this offset can still be read.
async fn stands(settings: &Settings, partition: i32, offset: i64) -> anyhow::Result<bool> {
    let settings = settings.clone();
    tokio::task::spawn_blocking(move || {
        let consumer = LogConsumer::new(consumer_config(&settings, "retrace-eraser"))?;
        consumer.assign(&settings.topic(topics::KEYS), [(partition, Offset::Offset(offset))])?;
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline {
            match consumer.poll().context("the keys topic cannot be read")? {
                Some(Next::Record(message)) => return Ok(message.offset() == offset && message.payload().is_some()),
                Some(Next::End(_)) => return Ok(false),
                None => {}
            }
        }
        bail!("the keys topic did not answer")
    })
    .await?
}
