//! The topics. Each partition begins with a record that says which log this is, so that a checkpoint of another log, or
//! a log whose beginning is missing, is noticed.

use std::time::Duration;

use anyhow::{Context, bail};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use runtime::Settings;
use runtime::kafka::{client_config, consumer_config};
use schemas::events::LogCreated;
use schemas::{Envelope, Event, ids, topics};

const TIMEOUT: Duration = Duration::from_secs(10);

pub async fn create(settings: &Settings) -> anyhow::Result<()> {
    let admin: AdminClient<DefaultClientContext> = client_config(settings).create()?;
    let replicas = i32::try_from(settings.topic_replication)?;
    let names =
        [topics::TELEMETRY, topics::WORKSPACE, topics::KEYS, topics::DEAD_LETTER].map(|name| settings.topic(name));
    let configured: Vec<_> = names
        .iter()
        .map(|name| {
            let keys = name.ends_with(topics::KEYS);
            (name, if keys { keys_topic(settings, Cleaner::Asleep) } else { common(settings, "delete") })
        })
        .collect();
    let new: Vec<NewTopic> = configured
        .iter()
        .map(|(name, values)| {
            let topic = NewTopic::new(name, topics::PARTITIONS, TopicReplication::Fixed(replicas));
            values.iter().fold(topic, |topic, (key, value)| topic.set(key, value))
        })
        .collect();
    for result in admin
        .create_topics(&new, &AdminOptions::new().operation_timeout(Some(TIMEOUT)))
        .await
        .context("Kafka cannot be reached")?
    {
        match result {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((name, code)) => bail!("Kafka refuses the topic {name}: {code}"),
        }
    }
    for name in [topics::TELEMETRY, topics::WORKSPACE] {
        begin(settings, &settings.topic(name)).await?;
    }
    Ok(())
}

fn common(settings: &Settings, policy: &'static str) -> Vec<(&'static str, &'static str)> {
    vec![
        ("cleanup.policy", policy),
        ("retention.ms", "-1"),
        ("retention.bytes", "-1"),
        ("max.message.bytes", "1048588"),
        ("min.insync.replicas", if settings.topic_replication >= 3 { "2" } else { "1" }),
    ]
}

/// What the log cleaner does with the keys topic. Each pass rewrites whole partitions, so it sleeps but for erasures.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Cleaner {
    /// A dirty ratio of 1 is never exceeded.
    Asleep,
    /// Segments roll as well, since the active one is never cleaned.
    Rolling,
    Awake,
}

/// All settings of the keys topic: altering a topic replaces them all.
pub fn keys_topic(settings: &Settings, cleaner: Cleaner) -> Vec<(&'static str, &'static str)> {
    let mut values = common(settings, "compact");
    if cleaner == Cleaner::Asleep {
        values.push(("min.cleanable.dirty.ratio", "1.0"));
        return values;
    }
    values.extend([
        ("min.cleanable.dirty.ratio", "0.0"),
        ("delete.retention.ms", "1000"),
        ("file.delete.delay.ms", "1000"),
    ]);
    if cleaner == Cleaner::Rolling {
        values.push(("segment.ms", "1000"));
    }
    values
}

/// Writes the first record into every partition that is still empty.
async fn begin(settings: &Settings, topic: &str) -> anyhow::Result<()> {
    let consumer: BaseConsumer = consumer_config(settings, "retrace-migrate").create()?;
    let asked = topic.to_owned();
    let empty = tokio::task::spawn_blocking(move || -> anyhow::Result<Vec<i32>> {
        let mut empty = Vec::new();
        for partition in 0..topics::PARTITIONS {
            let (_, high) = watermarks(&consumer, &asked, partition)?;
            if high == 0 {
                empty.push(partition);
            }
        }
        Ok(empty)
    })
    .await??;
    if empty.is_empty() {
        return Ok(());
    }
    if empty.len() != topics::PARTITIONS as usize {
        tracing::info!(topic, "an earlier start was interrupted while the log was created; completing it");
    }
    let producer: FutureProducer =
        client_config(settings).set("enable.idempotence", "true").set("acks", "all").create()?;
    let log_id = uuid::Uuid::now_v7().to_string();
    for partition in empty {
        let event = Event::LogCreated(LogCreated { log_id: log_id.clone(), epoch: 0, partitions: topics::PARTITIONS });
        let envelope = Envelope {
            id: ids::event_id(),
            kind: event.kind().to_owned(),
            source: "/retrace/migrate".to_owned(),
            time: time::OffsetDateTime::now_utc(),
            subject: log_id.clone(),
            tenant: String::new(),
            actor: String::new(),
            request_id: String::new(),
            traceparent: None,
            client: None,
        };
        let headers = envelope
            .headers()
            .into_iter()
            .fold(OwnedHeaders::new(), |headers, (key, value)| headers.insert(Header { key, value: Some(&value) }));
        let value = event.encode()?;
        let record: FutureRecord<'_, (), Vec<u8>> =
            FutureRecord::to(topic).partition(partition).payload(&value).headers(headers);
        producer.send(record, TIMEOUT).await.map_err(|(cause, _)| cause).context("the log cannot be begun")?;
    }
    Ok(())
}

/// A topic that was created a moment ago may not have its leaders yet.
fn watermarks(consumer: &BaseConsumer, topic: &str, partition: i32) -> anyhow::Result<(i64, i64)> {
    let mut last = None;
    for _ in 0..50 {
        match consumer.fetch_watermarks(topic, partition, TIMEOUT) {
            Ok(marks) => return Ok(marks),
            Err(cause) => {
                last = Some(cause);
                std::thread::sleep(Duration::from_millis(100));
            }
        }
    }
    Err(last.map_or_else(|| anyhow::anyhow!("no answer"), Into::into)).with_context(|| format!("{topic} {partition}"))
}
