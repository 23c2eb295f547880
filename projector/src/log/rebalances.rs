//! What the group decides, handed to the pipeline. rdkafka's callback is synchronous, and the group waits for it: a
//! pipeline that does not answer in time (its store is away, say) gives up its place in the group instead.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rdkafka::client::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Offset, TopicPartitionList};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::FromLog;

/// librdkafka never ends the wait of a member's first assignment, and its other waits after minutes only.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);
const TRY_AGAIN: Duration = Duration::from_millis(10);

pub struct Rebalances {
    to_pipeline: mpsc::Sender<FromLog>,
    topic: String,
    assigned: Mutex<HashSet<i32>>,
    /// What is newly assigned is not.
    paused: AtomicBool,
    /// Nothing of what was assigned has been decoded yet.
    is_new: AtomicBool,
    /// The group counts on this member, which does not follow: it has to leave and begin anew.
    failed: AtomicBool,
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
            if !self.to_pipeline.is_closed() {
                tracing::warn!(cause = format!("{cause:#}"), topic = self.topic, "a rebalance was not followed");
            }
            self.failed.store(true, Ordering::Release);
        }
    }
}

impl Rebalances {
    pub fn new(to_pipeline: mpsc::Sender<FromLog>, topic: String) -> Rebalances {
        Rebalances {
            to_pipeline,
            topic,
            assigned: Mutex::default(),
            paused: AtomicBool::default(),
            is_new: AtomicBool::default(),
            failed: AtomicBool::default(),
        }
    }

    pub fn have_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    pub fn is_new(&self) -> bool {
        self.is_new.load(Ordering::Acquire)
    }

    pub fn is_known(&self) {
        self.is_new.store(false, Ordering::Release);
    }

    pub fn set_paused(&self, consumer: &BaseConsumer<Self>, want: bool) {
        if self.paused.load(Ordering::Acquire) == want {
            return;
        }
        let Ok(assigned) = self.assigned.lock() else { return };
        let mut list = TopicPartitionList::new();
        for partition in assigned.iter() {
            list.add_partition(&self.topic, *partition);
        }
        let changed = if want { consumer.pause(&list) } else { consumer.resume(&list) };
        match changed {
            Ok(()) => self.paused.store(want, Ordering::Release),
            Err(cause) => tracing::warn!(%cause, "pausing"),
        }
    }

    fn assign(&self, consumer: &BaseConsumer<Self>, partitions: Vec<i32>) -> anyhow::Result<()> {
        let starts = self.ask(|reply| FromLog::Assigned(partitions.clone(), reply))?;
        let starts = starts.context("the pipeline refused the partitions")?;
        let mut list = TopicPartitionList::new();
        for (partition, offset) in starts {
            list.add_partition_offset(&self.topic, partition, Offset::Offset(offset))?;
        }
        consumer.assign(&list)?;
        self.hold(partitions);
        self.is_new.store(true, Ordering::Release);
        Ok(())
    }

    /// A pipeline that is gone holds nothing any more.
    fn revoke(&self, consumer: &BaseConsumer<Self>, partitions: Vec<i32>) -> anyhow::Result<()> {
        let done = self.ask(|reply| FromLog::Revoked(partitions, reply)).map(drop);
        self.hold(Vec::new());
        consumer.unassign()?;
        done
    }

    fn hold(&self, partitions: Vec<i32>) {
        if let Ok(mut assigned) = self.assigned.lock() {
            *assigned = partitions.into_iter().collect();
        }
        self.paused.store(false, Ordering::Release);
    }

    /// The pipeline's answer; `None` if it has ended.
    fn ask<T>(&self, question: impl FnOnce(SyncSender<T>) -> FromLog) -> anyhow::Result<Option<T>> {
        let deadline = Instant::now() + ANSWER_WITHIN;
        let (reply, answer): (SyncSender<T>, Receiver<T>) = sync_channel(1);
        let mut question = question(reply);
        loop {
            match self.to_pipeline.try_send(question) {
                Ok(()) => break,
                Err(TrySendError::Closed(_)) => return Ok(None),
                Err(TrySendError::Full(_)) if Instant::now() > deadline => return late(),
                Err(TrySendError::Full(back)) => question = back,
            }
            std::thread::sleep(TRY_AGAIN);
        }
        match answer.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(answer) => Ok(Some(answer)),
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(RecvTimeoutError::Timeout) => late(),
        }
    }
}

fn late<T>() -> anyhow::Result<T> {
    bail!("the pipeline did not answer in {} s", ANSWER_WITHIN.as_secs())
}
