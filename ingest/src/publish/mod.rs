//! Appending to the log: idempotent, acknowledged by all replicas, bounded.

mod keys;

use std::time::{Duration, Instant};

use anyhow::Context;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{DeliveryFuture, FutureProducer, FutureRecord, Producer};
use rdkafka::util::Timeout;
use runtime::kafka::client_config;
use runtime::metrics::METRICS;
use runtime::position::{Position, Record, Topic};
use runtime::{Problem, Settings};
use schemas::{Envelope, Event, topics};

pub use keys::SealingKeys;

#[derive(Clone)]
pub struct Publisher {
    producer: FutureProducer,
    telemetry: String,
    workspace: String,
    keys: String,
}

/// An event on its way, addressed.
pub struct Outgoing {
    pub envelope: Envelope,
    pub event: Event,
    pub partition: i32,
}

impl Publisher {
    pub fn new(settings: &Settings) -> anyhow::Result<Publisher> {
        let producer: FutureProducer = client_config(settings)
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("compression.type", "lz4")
            .set("linger.ms", settings.produce_linger_ms.to_string())
            .set("batch.size", "1000000")
            .set("message.max.bytes", "1048576")
            .set("message.timeout.ms", settings.produce_timeout_ms.to_string())
            .set("queue.buffering.max.kbytes", (settings.produce_queue_bytes / 1024).to_string())
            .set("queue.buffering.max.messages", "100000")
            .create()
            .context("the Kafka producer cannot be created")?;
        Ok(Publisher {
            producer,
            telemetry: settings.topic(topics::TELEMETRY),
            workspace: settings.topic(topics::WORKSPACE),
            keys: settings.topic(topics::KEYS),
        })
    }

    /// Appends in order; returns once all are durable. A failure may leave a prefix, which the client's retry completes.
    pub async fn append(&self, outgoing: Vec<Outgoing>) -> Result<Position, Problem> {
        let started = Instant::now();
        let mut pending: Vec<(Topic, DeliveryFuture)> = Vec::with_capacity(outgoing.len());
        for Outgoing { envelope, event, partition } in outgoing {
            let value = event.encode().map_err(Problem::internal)?;
            if value.len() > topics::MAX_RECORD_BYTES {
                return Err(Problem::internal(format!("a record of {} bytes", value.len())));
            }
            let (topic, name) = if event.topic() == topics::TELEMETRY {
                (Topic::Telemetry, &self.telemetry)
            } else {
                (Topic::Workspace, &self.workspace)
            };
            let headers = headers(&envelope);
            let record: FutureRecord<'_, (), Vec<u8>> =
                FutureRecord::to(name).partition(partition).payload(&value).headers(headers);
            let sent = self.producer.send_result(record).map_err(|(cause, _)| refused(&cause))?;
            METRICS.events.with_label_values(&[event.kind()]).inc();
            pending.push((topic, sent));
        }
        let mut records: Vec<Record> = Vec::new();
        for (topic, sent) in pending {
            let (partition, offset) = delivered(sent).await?;
            match records.iter_mut().find(|record| record.topic == topic && record.partition == partition) {
                Some(record) => record.offset = record.offset.max(offset),
                None => records.push(Record { topic, partition, offset }),
            }
        }
        METRICS.ack_seconds.with_label_values(&["log"]).observe(started.elapsed().as_secs_f64());
        Ok(Position { records })
    }

    /// Appends a sealing key and returns its offset.
    pub(crate) async fn append_key(&self, partition: i32, key: &[u8], secret: &[u8]) -> Result<i64, Problem> {
        let record = FutureRecord::to(&self.keys).partition(partition).key(key).payload(secret);
        let sent = self.producer.send_result(record).map_err(|(cause, _)| refused(&cause))?;
        Ok(delivered(sent).await?.1)
    }

    /// Whether Kafka answers.
    pub async fn check(&self) -> Result<(), String> {
        let (producer, topic) = (self.producer.clone(), self.telemetry.clone());
        let asked = tokio::task::spawn_blocking(move || {
            producer.client().fetch_metadata(Some(&topic), Duration::from_secs(2)).map(|_| ())
        });
        asked.await.map_err(|e| e.to_string())?.map_err(|e| e.to_string())
    }

    /// Waits until everything accepted is acknowledged.
    pub async fn flush(&self, budget: Duration) {
        let producer = self.producer.clone();
        let flushed = tokio::task::spawn_blocking(move || producer.flush(Timeout::After(budget))).await;
        if let Ok(Err(cause)) = flushed {
            tracing::warn!(%cause, "the producer did not empty its queue in time");
        }
    }
}

fn headers(envelope: &Envelope) -> OwnedHeaders {
    envelope.headers().iter().fold(OwnedHeaders::new_with_capacity(12), |headers, (key, value)| {
        headers.insert(Header { key, value: Some(value) })
    })
}

async fn delivered(sent: DeliveryFuture) -> Result<(i32, i64), Problem> {
    match sent.await {
        Ok(Ok(delivery)) => Ok((delivery.partition, delivery.offset)),
        Ok(Err((cause, _))) => Err(refused(&cause)),
        Err(_) => Err(Problem::store_down("Kafka", "the producer was stopped")),
    }
}

fn refused(cause: &KafkaError) -> Problem {
    if cause.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull) {
        METRICS.refused.with_label_values(&["queue_full"]).inc();
        return Problem::unavailable("The write queue is full", 1);
    }
    METRICS.store_errors.with_label_values(&["kafka"]).inc();
    Problem::store_down("Kafka", cause)
}
