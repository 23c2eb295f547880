//! Events about the log itself.

use serde::{Deserialize, Serialize};

use crate::envelope::{Envelope, EnvelopeError};

/// The first record of every partition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogCreated {
    pub log_id: String,
    pub epoch: i32,
    pub partitions: i32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContentsErased {
    pub keys: i64,
    /// Of the telemetry topic.
    pub upto: Vec<Frontier>,
    #[serde(default)]
    pub workspace_upto: Vec<Frontier>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Frontier {
    pub partition: i32,
    pub offset: i64,
}

/// A record that a projection had refused, once more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Redriven {
    pub projection: String,
    /// In the partition of this record.
    pub origin_offset: i64,
    pub headers: Vec<RecordHeader>,
    #[serde(with = "serde_bytes")]
    pub value: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordHeader {
    pub key: String,
    #[serde(with = "serde_bytes")]
    pub value: Vec<u8>,
}

impl Redriven {
    pub const KIND: &str = "dev.retrace.log.redriven.v1";

    /// The envelope of the record that was refused.
    pub fn envelope(&self) -> Result<Envelope, EnvelopeError> {
        Envelope::from_headers(self.headers.iter().map(|header| (header.key.as_str(), header.value.as_slice())))
    }
}
