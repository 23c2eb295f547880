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

/// A consumer that never commits by itself: checkpoints live with the projections. A seek waits for the fetch that is
/// under way, so that fetches are held for a moment only.
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

/// For who follows the end of a quiet topic. A record ends a fetch at once: the wait only sets how many requests it costs
/// to be idle.
pub fn follower_config(settings: &Settings, group: &str) -> ClientConfig {
    let mut config = consumer_config(settings, group);
    config.set("fetch.wait.max.ms", "250");
    config
}

/// For who reads a busy topic: a fetch is answered once there is enough, or after a moment. Without it each record of a
/// stream costs a request.
pub fn stream_config(settings: &Settings, group: &str) -> ClientConfig {
    let mut config = consumer_config(settings, group);
    config.set("fetch.wait.max.ms", "50").set("fetch.min.bytes", "262144");
    config
}
