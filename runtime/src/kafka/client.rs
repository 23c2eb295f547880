//! librdkafka configuration shared by producers and consumers.

use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::consumer::{BaseConsumer, ConsumerContext};
use rdkafka::error::KafkaError;

use crate::Settings;

pub fn client_config(settings: &Settings) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", &settings.kafka_brokers)
        .set("client.id", "retrace")
        .set("reconnect.backoff.ms", "50")
        .set("reconnect.backoff.max.ms", "1000")
        .set("topic.metadata.refresh.interval.ms", "60000")
        .set("log.connection.close", "false");
    for option in Settings::list(&settings.kafka_options) {
        if let Some((name, value)) = option.split_once('=') {
            config.set(name.trim(), value.trim());
        }
    }
    config
}

/// Reads partitions that it was told to read.
pub type LogConsumer = BaseConsumer<Errors>;

/// The end of a partition is no error, though librdkafka reports it as one to whoever asked for it.
pub struct Errors;

impl ClientContext for Errors {
    fn error(&self, error: KafkaError, reason: &str) {
        if !matches!(error, KafkaError::Global(rdkafka::types::RDKafkaErrorCode::PartitionEOF)) {
            tracing::warn!(%error, reason, "Kafka consumer");
        }
    }
}

impl ConsumerContext for Errors {}

/// How long the broker holds a fetch of who follows the end of the log: a record ends the wait, so that it only sets how
/// many requests an idle follower costs.
pub const FOLLOWERS_WAIT: (&str, &str) = ("fetch.wait.max.ms", "250");

/// For who reads a busy topic: the broker answers a fetch once there is enough, or after a moment. Without it each
/// record of a stream costs a request.
pub const IN_PIECES: [(&str, &str); 2] = [("fetch.wait.max.ms", "50"), ("fetch.min.bytes", "262144")];

/// A consumer that never commits by itself: checkpoints live with the projections. A seek waits for the fetch that is
/// under way, so that fetches are held for a moment only; see [`FOLLOWERS_WAIT`].
pub fn consumer_config(settings: &Settings, group: &str) -> ClientConfig {
    let mut config = client_config(settings);
    config
        .set("group.id", group)
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "error")
        .set("isolation.level", "read_committed")
        .set("fetch.wait.max.ms", "20")
        .set("fetch.error.backoff.ms", "100")
        .set("queued.max.messages.kbytes", "16384")
        .set("fetch.message.max.bytes", "1048576");
    config
}
