//! One thread polls, and never stops polling: rebalances are served while the store is down, since partitions are
//! paused instead. rdkafka's rebalance callback is synchronous, hence a thread and channels.

use std::collections::HashSet;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::Context;
use rdkafka::client::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Message, Offset, TopicPartitionList};
use runtime::Settings;
use runtime::kafka::stream_config;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::decode::{Decoded, Decoder};

/// Records of one hand-over.
const MOST_RECORDS: usize = 500;
const MOST_BYTES: usize = 4 << 20;
/// Short of what delays a rebalance.
const TRY_AGAIN: Duration = Duration::from_millis(200);

pub enum FromLog {
    /// Answer with (partition, offset to start at), or drop the sender to stop.
    Assigned(Vec<i32>, oneshot::Sender<Vec<(i32, i64)>>),
    /// Answer when what was taken from these partitions is written or forgotten.
    Revoked(Vec<i32>, oneshot::Sender<()>),
    Records(Vec<Decoded>),
}

struct Rebalances {
    to_pipeline: mpsc::Sender<FromLog>,
    assigned: Mutex<HashSet<i32>>,
    topic: String,
}

impl ClientContext for Rebalances {
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!(%error, reason, "Kafka consumer");
    }
}

impl ConsumerContext for Rebalances {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, err: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let partitions: Vec<i32> = list.elements().iter().map(|element| element.partition()).collect();
        let outcome = match err {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => self.assign(consumer, partitions),
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS => self.revoke(consumer, partitions),
            other => Err(anyhow::anyhow!("rebalance failed: {:?}", RDKafkaErrorCode::from(other))),
        };
        if let Err(cause) = outcome {
            tracing::error!(cause = format!("{cause:#}"), "rebalance");
        }
    }
}

impl Rebalances {
    fn assign(&self, consumer: &BaseConsumer<Self>, partitions: Vec<i32>) -> anyhow::Result<()> {
        let (reply, starts) = oneshot::channel();
        self.to_pipeline.blocking_send(FromLog::Assigned(partitions.clone(), reply)).context("the pipeline ended")?;
        let mut list = TopicPartitionList::new();
        for (partition, offset) in starts.blocking_recv().context("the pipeline refused the partitions")? {
            list.add_partition_offset(&self.topic, partition, Offset::Offset(offset))?;
        }
        consumer.assign(&list)?;
        if let Ok(mut assigned) = self.assigned.lock() {
            *assigned = partitions.into_iter().collect();
        }
        Ok(())
    }

    fn revoke(&self, consumer: &BaseConsumer<Self>, partitions: Vec<i32>) -> anyhow::Result<()> {
        let (reply, done) = oneshot::channel();
        if self.to_pipeline.blocking_send(FromLog::Revoked(partitions, reply)).is_ok() {
            // An error means that the pipeline is gone, and with it what it held.
            let _ = done.blocking_recv();
        }
        if let Ok(mut assigned) = self.assigned.lock() {
            assigned.clear();
        }
        consumer.unassign()?;
        Ok(())
    }
}

/// Starts the thread. It ends when stopped or when the receiver is dropped.
pub fn start(
    settings: &Settings,
    topic: &str,
    group: &str,
    decoder: Decoder,
    stop: CancellationToken,
) -> anyhow::Result<mpsc::Receiver<FromLog>> {
    let (to_pipeline, from_log) = mpsc::channel(4);
    let topic = settings.topic(topic);
    let context = Rebalances { to_pipeline: to_pipeline.clone(), assigned: Mutex::default(), topic: topic.clone() };
    let mut config = stream_config(settings, group);
    config
        .set("session.timeout.ms", "6000")
        .set("heartbeat.interval.ms", "2000")
        .set("partition.assignment.strategy", "range");
    if !settings.instance.is_empty() {
        config.set("group.instance.id", &settings.instance);
    }
    let consumer: BaseConsumer<Rebalances> =
        config.create_with_context(context).context("the consumer cannot be created")?;
    consumer.subscribe(&[&topic])?;
    let poller = Poller { consumer, decoder, to_pipeline, stop, topic };
    std::thread::Builder::new().name("log-consumer".into()).spawn(move || poller.run())?;
    Ok(from_log)
}

struct Poller {
    consumer: BaseConsumer<Rebalances>,
    decoder: Decoder,
    to_pipeline: mpsc::Sender<FromLog>,
    stop: CancellationToken,
    topic: String,
}

impl Poller {
    fn run(mut self) {
        let mut batch: Vec<Decoded> = Vec::new();
        let mut bytes = 0;
        let mut paused = false;
        // The pipeline is busy: what was read waits here.
        let mut refused = false;
        while !self.stop.is_cancelled() {
            let wait = match (batch.is_empty(), refused) {
                (true, _) => Duration::from_millis(50),
                (false, true) => Duration::from_millis(10),
                (false, false) => Duration::ZERO,
            };
            let idle = match self.consumer.poll(wait) {
                None => true,
                Some(Ok(message)) => {
                    match self.decoder.decode(&message) {
                        Ok(decoded) => {
                            bytes += decoded.bytes;
                            batch.push(decoded);
                        }
                        Err(cause) => {
                            tracing::warn!(cause = format!("{cause:#}"), "a record cannot be opened yet");
                            self.go_back(message.partition(), message.offset());
                        }
                    }
                    false
                }
                Some(Err(cause)) => {
                    tracing::warn!(%cause, topic = self.topic, "reading the log");
                    true
                }
            };
            let full = batch.len() >= MOST_RECORDS || bytes >= MOST_BYTES;
            if !batch.is_empty() && (idle || full) {
                match self.to_pipeline.try_send(FromLog::Records(std::mem::take(&mut batch))) {
                    Ok(()) => {
                        (bytes, refused) = (0, false);
                        paused = self.set_paused(paused, false);
                    }
                    Err(TrySendError::Full(FromLog::Records(back))) => {
                        (batch, refused) = (back, true);
                        if full {
                            paused = self.set_paused(paused, true);
                        }
                    }
                    Err(_) => break,
                }
            }
        }
        self.consumer.unsubscribe();
    }

    /// To be read again, after a pause: Kafka may be away.
    fn go_back(&self, partition: i32, offset: i64) {
        let within = Duration::from_secs(5);
        if let Err(cause) = self.consumer.seek(&self.topic, partition, Offset::Offset(offset), within) {
            tracing::warn!(%cause, "seeking back");
        }
        std::thread::sleep(TRY_AGAIN);
    }

    fn set_paused(&self, is: bool, want: bool) -> bool {
        if is == want {
            return is;
        }
        let Ok(assigned) = self.consumer.context().assigned.lock() else { return is };
        let mut list = TopicPartitionList::new();
        for partition in assigned.iter() {
            list.add_partition(&self.topic, *partition);
        }
        let changed = if want { self.consumer.pause(&list) } else { self.consumer.resume(&list) };
        match changed {
            Ok(()) => want,
            Err(cause) => {
                tracing::warn!(%cause, "pausing");
                is
            }
        }
    }
}
