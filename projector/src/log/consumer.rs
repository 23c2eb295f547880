//! One thread polls, and never stops polling: rebalances are served while the store is down, since partitions are
//! paused instead.

use std::sync::mpsc::SyncSender;
use std::time::Duration;

use anyhow::{Context, bail};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::BorrowedMessage;
use rdkafka::{Message, Offset};
use runtime::Settings;
use runtime::kafka::stream_config;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio_util::sync::CancellationToken;

use super::decode::{Decoded, Decoder};
use super::rebalances::Rebalances;

/// Records of one hand-over.
const MOST_RECORDS: usize = 500;
const MOST_BYTES: usize = 4 << 20;
/// Short of what delays a rebalance.
const TRY_AGAIN: Duration = Duration::from_millis(200);

pub enum FromLog {
    /// Answer with (partition, offset to start at), or drop the sender to stop.
    Assigned(Vec<i32>, SyncSender<Vec<(i32, i64)>>),
    /// Answer when what was taken from these partitions is written or forgotten.
    Revoked(Vec<i32>, SyncSender<()>),
    Records(Vec<Decoded>),
}

/// A place in a consumer group.
pub struct Membership {
    pub from_log: mpsc::Receiver<FromLog>,
    /// It was given up: the partitions may be another's.
    pub lost: CancellationToken,
}

/// Starts the thread. It ends when stopped, when the receiver is dropped, or when it has lost its place in the group.
pub fn start(
    settings: &Settings,
    topic: &str,
    group: &str,
    decoder: Decoder,
    stop: CancellationToken,
) -> anyhow::Result<Membership> {
    let (to_pipeline, from_log) = mpsc::channel(4);
    let topic = settings.topic(topic);
    let mut config = stream_config(settings, group);
    config
        .set("session.timeout.ms", "6000")
        .set("heartbeat.interval.ms", "2000")
        // Also how long the broker lets the others wait for a member that lives and does not join again.
        .set("max.poll.interval.ms", "30000")
        .set("partition.assignment.strategy", "range");
    if !settings.instance.is_empty() {
        config.set("group.instance.id", &settings.instance);
    }
    let context = Rebalances::new(to_pipeline.clone(), topic.clone());
    let consumer: BaseConsumer<Rebalances> =
        config.create_with_context(context).context("the consumer cannot be created")?;
    consumer.subscribe(&[&topic])?;
    let lost = CancellationToken::new();
    let poller = Poller { consumer, decoder, to_pipeline, stop, lost: lost.clone(), topic };
    std::thread::Builder::new().name("log-consumer".into()).spawn(move || poller.run())?;
    Ok(Membership { from_log, lost })
}

fn decode(
    consumer: &BaseConsumer<Rebalances>,
    decoder: &mut Decoder,
    message: &BorrowedMessage<'_>,
) -> anyhow::Result<Decoded> {
    if consumer.context().is_new() {
        decoder.assigned()?;
        consumer.context().is_known();
    }
    decoder.decode(message)
}

struct Poller {
    consumer: BaseConsumer<Rebalances>,
    decoder: Decoder,
    to_pipeline: mpsc::Sender<FromLog>,
    stop: CancellationToken,
    lost: CancellationToken,
    topic: String,
}

impl Poller {
    fn run(mut self) {
        if let Err(cause) = self.poll() {
            tracing::warn!(cause = format!("{cause:#}"), topic = self.topic, "the place in the group is given up");
            self.lost.cancel();
        }
        self.consumer.unsubscribe();
    }

    fn poll(&mut self) -> anyhow::Result<()> {
        let mut batch: Vec<Decoded> = Vec::new();
        let mut bytes = 0;
        // The pipeline is busy: what was read waits here.
        let mut refused = false;
        // A pipeline that has ended gives its partitions up.
        while !self.stop.is_cancelled() && !self.to_pipeline.is_closed() {
            let wait = match (batch.is_empty(), refused) {
                (true, _) => Duration::from_millis(50),
                (false, true) => Duration::from_millis(10),
                (false, false) => Duration::ZERO,
            };
            let polled = self.consumer.poll(wait);
            if self.consumer.context().have_failed() {
                bail!("a rebalance failed");
            }
            let idle = match polled {
                None => true,
                Some(Ok(message)) => {
                    match decode(&self.consumer, &mut self.decoder, &message) {
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
                Some(Err(cause @ KafkaError::MessageConsumptionFatal(_))) => return Err(cause.into()),
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
                        self.set_paused(false);
                    }
                    Err(TrySendError::Full(FromLog::Records(back))) => {
                        (batch, refused) = (back, true);
                        if full {
                            self.set_paused(true);
                        }
                    }
                    Err(_) => break,
                }
            }
        }
        Ok(())
    }

    fn set_paused(&self, want: bool) {
        self.consumer.context().set_paused(&self.consumer, want);
    }

    /// To be read again, after a pause: Kafka may be away.
    fn go_back(&self, partition: i32, offset: i64) {
        let within = Duration::from_secs(5);
        if let Err(cause) = self.consumer.seek(&self.topic, partition, Offset::Offset(offset), within) {
            tracing::warn!(%cause, "seeking back");
        }
        std::thread::sleep(TRY_AGAIN);
    }
}
