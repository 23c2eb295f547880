//! What librdkafka alone does with the same bytes: one record a trace to a topic of its own, which is deleted afterwards.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer};
use rdkafka::util::Timeout;
use serde_json::{Value, json};

use crate::body::Plan;
use crate::drive::Driven;

/// Bodies are made before the clock starts, up to this size; a longer run uses them again.
const HELD_BYTES: usize = 256 << 20;
/// A larger body becomes several records, as in the product.
const RECORD_BYTES: usize = 900_000;
const PARTITIONS: i32 = 16;

pub struct Bare {
    spans: u64,
    bytes: u64,
    records: u64,
    took: Duration,
}

#[derive(Default)]
struct Counts {
    delivered: AtomicU64,
    failed: AtomicU64,
}

struct Counting(Arc<Counts>);

impl rdkafka::ClientContext for Counting {}

impl ProducerContext for Counting {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let count = if result.is_ok() { &self.0.delivered } else { &self.0.failed };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

pub fn run(brokers: &str, plan: &Plan) -> anyhow::Result<Bare> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers);
    let admin: AdminClient<DefaultClientContext> = config.create()?;
    let topic = format!("retrace-bench-{}", uuid::Uuid::new_v4());
    let wanted = [NewTopic::new(&topic, PARTITIONS, TopicReplication::Fixed(1))];
    let handle = tokio::runtime::Handle::current();
    for made in handle.block_on(admin.create_topics(&wanted, &AdminOptions::new()))? {
        made.map_err(|(name, cause)| anyhow::anyhow!("the topic {name} cannot be created: {cause}"))?;
    }
    let outcome = produce(&mut config, &topic, plan);
    handle.block_on(admin.delete_topics(&[&topic], &AdminOptions::new()))?;
    outcome
}

fn produce(config: &mut ClientConfig, topic: &str, plan: &Plan) -> anyhow::Result<Bare> {
    let counts = Arc::new(Counts::default());
    let producer: ThreadedProducer<Counting> = config
        .set("acks", "all")
        .set("enable.idempotence", "true")
        .set("compression.type", "lz4")
        .set("linger.ms", "5")
        .set("batch.size", "1000000")
        .set("message.max.bytes", "1048576")
        .set("queue.buffering.max.kbytes", "65536")
        .create_with_context(Counting(Arc::clone(&counts)))?;
    let metadata = producer.client().fetch_metadata(Some(topic), Duration::from_secs(10))?;
    ensure!(
        metadata.topics().first().is_some_and(|topic| topic.partitions().len() == PARTITIONS as usize),
        "the topic is not there"
    );
    let mut held = Vec::new();
    let mut size = 0;
    for index in 0..plan.traces() {
        let body = plan.trace(index)?;
        size += body.json.len();
        held.push(body);
        if size > HELD_BYTES {
            break;
        }
    }
    let mut bare = Bare { spans: 0, bytes: 0, records: 0, took: Duration::ZERO };
    let started = Instant::now();
    for (number, body) in (0..plan.traces()).zip(held.iter().cycle()) {
        for piece in body.json.chunks(RECORD_BYTES) {
            send(&producer, topic, (number % PARTITIONS as u64) as i32, piece)?;
            bare.bytes += piece.len() as u64;
            bare.records += 1;
        }
        bare.spans += body.spans;
    }
    producer.flush(Timeout::After(Duration::from_secs(60))).context("the producer did not empty its queue")?;
    bare.took = started.elapsed();
    let (delivered, failed) = (counts.delivered.load(Ordering::Relaxed), counts.failed.load(Ordering::Relaxed));
    ensure!(
        failed == 0 && delivered == bare.records,
        "{delivered} of {} records were delivered, {failed} failed",
        bare.records
    );
    Ok(bare)
}

fn send(producer: &ThreadedProducer<Counting>, topic: &str, partition: i32, payload: &[u8]) -> anyhow::Result<()> {
    loop {
        let record: BaseRecord<'_, (), [u8]> = BaseRecord::to(topic).partition(partition).payload(payload);
        match producer.send(record) {
            Ok(()) => return Ok(()),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => {
                std::thread::sleep(Duration::from_millis(1))
            }
            Err((cause, _)) => return Err(cause.into()),
        }
    }
}

impl Bare {
    pub fn json(&self, ours: &Driven) -> Value {
        let seconds = self.took.as_secs_f64();
        json!({
            "seconds": seconds,
            "records": self.records,
            "bytes": self.bytes,
            "mb_per_second": self.bytes as f64 / 1e6 / seconds,
            "spans_per_second": self.spans as f64 / seconds,
            "accepted_of_bare": seconds / ours.accepted.as_secs_f64(),
            "visible_of_bare": seconds / ours.readable.as_secs_f64(),
        })
    }
}
