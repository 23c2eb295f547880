//! Reads partitions that it was told to read, from where it was told to.

use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::{Offset, TopicPartitionList};

const WAIT: Duration = Duration::from_millis(200);

pub struct LogConsumer(BaseConsumer<Errors>);

/// What reading brought.
pub enum Next<'a> {
    Record(BorrowedMessage<'a>),
    /// All that was there of this partition has been read.
    End(i32),
}

impl Next<'_> {
    pub fn is_end_of(&self, wanted: i32) -> bool {
        matches!(self, Next::End(partition) if *partition == wanted)
    }
}

impl LogConsumer {
    pub fn new(mut config: ClientConfig) -> KafkaResult<LogConsumer> {
        config.set("enable.partition.eof", "true").create_with_context(Errors).map(LogConsumer)
    }

    /// Reads these partitions, and no others.
    pub fn assign(&self, topic: &str, starts: impl IntoIterator<Item = (i32, Offset)>) -> KafkaResult<()> {
        let mut list = TopicPartitionList::new();
        for (partition, offset) in starts {
            list.add_partition_offset(topic, partition, offset)?;
        }
        self.0.assign(&list)
    }

    /// Waits a moment for what comes next. That a broker is away is no answer: librdkafka goes on trying, and the errors
    /// of an outage wait in its queue until long after it.
    pub fn poll(&self) -> KafkaResult<Option<Next<'_>>> {
        let until = Instant::now() + WAIT;
        loop {
            match self.0.poll(until.saturating_duration_since(Instant::now())) {
                None => return Ok(None),
                Some(Ok(message)) => return Ok(Some(Next::Record(message))),
                Some(Err(KafkaError::PartitionEOF(partition))) => return Ok(Some(Next::End(partition))),
                Some(Err(cause)) if is_away(&cause) => {}
                Some(Err(cause)) => return Err(cause),
            }
        }
    }

    pub fn watermarks(&self, topic: &str, partition: i32, within: Duration) -> KafkaResult<(i64, i64)> {
        self.0.fetch_watermarks(topic, partition, within)
    }

    /// The first offset at or after a time; `None` beyond the end.
    pub fn offset_at(&self, topic: &str, partition: i32, millis: i64, within: Duration) -> KafkaResult<Option<i64>> {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, partition, Offset::Offset(millis.max(0)))?;
        let found = self.0.offsets_for_times(list, within)?;
        Ok(found.elements().first().and_then(|element| match element.offset() {
            Offset::Offset(offset) if offset >= 0 => Some(offset),
            _ => None,
        }))
    }
}

fn is_away(cause: &KafkaError) -> bool {
    use RDKafkaErrorCode::{AllBrokersDown, BrokerTransportFailure, OperationTimedOut, Resolve};
    let code = cause.rdkafka_error_code();
    code.is_some_and(|code| matches!(code, AllBrokersDown | BrokerTransportFailure | OperationTimedOut | Resolve))
}

struct Errors;

impl ClientContext for Errors {
    /// The end of a partition is no error, though librdkafka reports it as one to whoever asked for it.
    fn error(&self, error: KafkaError, reason: &str) {
        if !matches!(error, KafkaError::Global(RDKafkaErrorCode::PartitionEOF)) {
            tracing::warn!(%error, reason, "Kafka consumer");
        }
    }
}

impl ConsumerContext for Errors {}
