//! librdkafka configuration shared by producers and consumers.

use rdkafka::ClientConfig;

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

/// A consumer that never commits by itself: checkpoints live with the projections.
pub fn consumer_config(settings: &Settings, group: &str) -> ClientConfig {
    let mut config = client_config(settings);
    config
        .set("group.id", group)
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "error")
        .set("isolation.level", "read_committed")
        .set("fetch.wait.max.ms", "500")
        .set("fetch.error.backoff.ms", "100")
        .set("queued.max.messages.kbytes", "16384")
        .set("fetch.message.max.bytes", "1048576");
    config
}
