//! What a projection cannot apply goes to the dead-letter topic, with its origin and the reason, and the projection goes
//! on. The id is derived from the origin, so that a second reading makes the same letter.

use std::time::Duration;

use anyhow::Context;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use runtime::Settings;
use runtime::kafka::{client_config, refusals};
use runtime::metrics::METRICS;
use schemas::{ids, topics};
use uuid::Uuid;

use crate::log::decode::{Decoded, Outcome};

pub struct DeadLetters {
    producer: FutureProducer,
    topic: String,
    origin: String,
    projection: &'static str,
}

pub fn producer(settings: &Settings) -> anyhow::Result<FutureProducer> {
    client_config(settings)
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("message.timeout.ms", "10000")
        .create()
        .context("the dead-letter producer cannot be created")
}

impl DeadLetters {
    pub fn new(settings: &Settings, projection: &'static str, origin: &str) -> anyhow::Result<DeadLetters> {
        Ok(DeadLetters {
            producer: producer(settings)?,
            topic: settings.topic(topics::DEAD_LETTER),
            origin: settings.topic(origin),
            projection,
        })
    }

    pub async fn send(&self, decoded: &Decoded) -> anyhow::Result<()> {
        let Outcome::Poison { reason, value } = &decoded.outcome else { return Ok(()) };
        let event_id = &decoded.event_id;
        tracing::error!(
            projection = self.projection,
            partition = decoded.partition,
            offset = decoded.offset,
            event_id,
            reason,
            "dead letter"
        );
        let origin = format!("{}/{}/{}", self.origin, decoded.partition, decoded.offset);
        let id = ids::derived(Uuid::NAMESPACE_URL, &format!("{}#{origin}", self.projection)).to_string();
        let headers = [
            ("ce_id", id.as_str()),
            (refusals::PROJECTION, self.projection),
            (refusals::ORIGIN, origin.as_str()),
            (refusals::EVENT_ID, event_id.as_str()),
            (refusals::REASON, reason.as_str()),
        ]
        .iter()
        .fold(OwnedHeaders::new(), |headers, (key, value)| headers.insert(Header { key, value: Some(*value) }));
        let record: FutureRecord<'_, (), Vec<u8>> =
            FutureRecord::to(&self.topic).partition(decoded.partition).payload(value).headers(headers);
        self.producer
            .send(record, Duration::from_secs(10))
            .await
            .map_err(|(cause, _)| cause)
            .context("the dead letter was not taken")?;
        METRICS.dead_letters.with_label_values(&[self.projection]).inc();
        Ok(())
    }
}
