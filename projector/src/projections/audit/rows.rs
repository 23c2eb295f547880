//! The row of a write.

use clickhouse::Row;
use schemas::audit::{self, Hash};
use serde::{Deserialize, Serialize};

use crate::log::decode::Write;

#[derive(Clone, Debug, PartialEq, Row, Serialize, Deserialize)]
pub struct AuditRow {
    pub tenant: String,
    pub topic: String,
    pub partition: u16,
    pub at_offset: u64,
    /// Its number in the chain, from 1.
    pub nth: u64,
    pub event_id: String,
    pub kind: String,
    pub subject: String,
    pub time: i64,
    pub actor: String,
    pub request_id: String,
    pub client: String,
    pub facts: String,
    #[serde(with = "serde_bytes")]
    pub content_hash: Vec<u8>,
    #[serde(with = "serde_bytes")]
    pub previous: Vec<u8>,
    #[serde(with = "serde_bytes")]
    pub hash: Vec<u8>,
}

impl AuditRow {
    pub fn new(
        (topic, partition, offset): (&str, i32, i64),
        write: &Write,
        nth: u64,
        previous: &Hash,
        hash: &Hash,
    ) -> AuditRow {
        let envelope = &write.envelope;
        AuditRow {
            tenant: envelope.tenant.clone(),
            topic: topic.to_owned(),
            partition: partition as u16,
            at_offset: offset as u64,
            nth,
            event_id: envelope.id.to_string(),
            kind: envelope.kind.clone(),
            subject: envelope.subject.clone(),
            time: audit::micros(envelope),
            actor: envelope.actor.clone(),
            request_id: envelope.request_id.clone(),
            client: envelope.client.clone().unwrap_or_default(),
            facts: write.facts.clone(),
            content_hash: write.content.to_vec(),
            previous: previous.to_vec(),
            hash: hash.to_vec(),
        }
    }
}
