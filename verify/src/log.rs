//! Reads the log from its beginning, without a consumer group's offsets and without trust in what is there.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rdkafka::client::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use schemas::events::LogCreated;
use schemas::{Envelope, Event, topics};

const TIMEOUT: Duration = Duration::from_secs(10);
/// Nothing read for so long means that the log cannot be read.
const PATIENCE: Duration = Duration::from_secs(60);

/// The first offset of each partition that is not read.
pub type Ends = BTreeMap<i32, i64>;

/// One record. `topic` is without the prefix; records of the keys topic have no envelope, tombstones no value.
#[derive(Clone, Debug)]
pub struct Record {
    pub topic: &'static str,
    pub partition: i32,
    pub offset: i64,
    pub key: Vec<u8>,
    pub envelope: Result<Envelope, String>,
    /// Of a dead letter, which has no envelope: whose it is, and of which record (`topic/partition/offset`).
    pub refusal: Option<(String, String)>,
    pub value: Option<Vec<u8>>,
}

/// Errors are those of the calls: librdkafka's reports of them beside these say nothing more.
struct Quiet;

impl ClientContext for Quiet {
    fn error(&self, _: KafkaError, _: &str) {}
}

impl ConsumerContext for Quiet {}

#[derive(Clone)]
pub struct LogReader {
    pub config: ClientConfig,
    pub topic_prefix: String,
}

impl LogReader {
    /// Where each partition of a topic ends now.
    pub fn ends(&self, topic: &'static str) -> anyhow::Result<Ends> {
        let (consumer, name) = (self.consumer()?, self.name(topic));
        let metadata = consumer.fetch_metadata(Some(&name), TIMEOUT).context("Kafka cannot be reached")?;
        let partitions =
            metadata.topics().iter().find(|found| found.name() == name).map_or(0, |t| t.partitions().len());
        if partitions == 0 {
            bail!("the log has no topic {name}");
        }
        let mut ends = Ends::new();
        for partition in 0..i32::try_from(partitions)? {
            let (low, high) = consumer
                .fetch_watermarks(&name, partition, TIMEOUT)
                .with_context(|| format!("the end of {name}, partition {partition}, cannot be read"))?;
            if low > 0 {
                bail!("the beginning of the log is missing: {name}, partition {partition}, starts at offset {low}");
            }
            if high == 0 && has_beginning(topic) {
                bail!("the beginning of the log is missing: {name}, partition {partition}, is empty");
            }
            ends.insert(partition, high);
        }
        Ok(ends)
    }

    /// Hands over every record before `ends`, each partition in its order. It blocks.
    pub fn read(
        &self,
        topic: &'static str,
        ends: &Ends,
        mut each: impl FnMut(Record) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let (consumer, name) = (self.consumer()?, self.name(topic));
        let mut open: Ends = ends.iter().filter(|(_, end)| **end > 0).map(|(p, end)| (*p, *end)).collect();
        let mut assignment = TopicPartitionList::new();
        for partition in open.keys() {
            assignment.add_partition_offset(&name, *partition, Offset::Offset(0))?;
        }
        consumer.assign(&assignment)?;
        let mut begun = Ends::new();
        let mut last = Instant::now();
        while !open.is_empty() {
            match consumer.poll(Duration::from_millis(500)) {
                Some(Ok(message)) => {
                    let record = record(topic, &message);
                    let (partition, offset) = (record.partition, record.offset);
                    let Some(end) = open.get(&partition).copied() else { continue };
                    last = Instant::now();
                    if begun.insert(partition, offset).is_none() && has_beginning(topic) {
                        check_beginning(&record).with_context(|| {
                            format!("the beginning of the log is missing: {name}, partition {partition}")
                        })?;
                    }
                    if offset < end {
                        each(record)?;
                    }
                    if offset + 1 >= end {
                        open.remove(&partition);
                    }
                }
                // Compaction may have taken the last keys before `end`: the end of the partition settles it. The other
                // topics have every offset, and are read until the last of them is there.
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    if topic == topics::KEYS {
                        open.remove(&partition);
                    }
                }
                Some(Err(KafkaError::MessageConsumption(
                    RDKafkaErrorCode::BrokerTransportFailure
                    | RDKafkaErrorCode::AllBrokersDown
                    | RDKafkaErrorCode::OperationTimedOut,
                )))
                | None => {}
                Some(Err(cause)) => return Err(cause).with_context(|| format!("{name} cannot be read")),
            }
            if last.elapsed() > PATIENCE {
                bail!(
                    "{name} cannot be read: nothing arrived for {} s, partitions {open:?} are open",
                    PATIENCE.as_secs()
                );
            }
        }
        Ok(())
    }

    fn name(&self, topic: &str) -> String {
        format!("{}{topic}", self.topic_prefix)
    }

    fn consumer(&self) -> anyhow::Result<BaseConsumer<Quiet>> {
        let mut config = self.config.clone();
        // Partitions are assigned by hand; the group's name is never used to commit.
        config.set("group.id", "retrace-verify").set("enable.auto.commit", "false");
        config.set("enable.partition.eof", "true").set("auto.offset.reset", "error");
        config.set("queued.max.messages.kbytes", "16384").set("fetch.wait.max.ms", "20");
        config.create_with_context(Quiet).context("no Kafka consumer can be made")
    }
}

/// Whether each partition begins with a record that says which log it is.
fn has_beginning(topic: &str) -> bool {
    matches!(topic, topics::TELEMETRY | topics::WORKSPACE)
}

fn record(topic: &'static str, message: &BorrowedMessage<'_>) -> Record {
    let headers = || message.headers().into_iter().flat_map(|headers| headers.iter());
    let text = |name: &str| {
        let header = headers().find(|header| header.key == name)?;
        Some(String::from_utf8_lossy(header.value?).into_owned())
    };
    Record {
        topic,
        partition: message.partition(),
        offset: message.offset(),
        key: message.key().unwrap_or_default().to_vec(),
        envelope: Envelope::from_headers(headers().filter_map(|h| Some((h.key, h.value?)))).map_err(|e| e.to_string()),
        refusal: text("retrace_projection").zip(text("retrace_origin")),
        value: message.payload().map(<[u8]>::to_vec),
    }
}

fn check_beginning(record: &Record) -> anyhow::Result<()> {
    match log_created(record) {
        Some(_) if record.offset == 0 => Ok(()),
        _ => bail!("its first record, at offset {}, does not say which log it is", record.offset),
    }
}

/// What the first record of a partition says.
pub fn log_created(record: &Record) -> Option<LogCreated> {
    let kind = &record.envelope.as_ref().ok()?.kind;
    match Event::decode(kind, record.value.as_ref()?)?.ok()? {
        Event::LogCreated(created) => Some(created),
        _ => None,
    }
}
