//! One record as received: where it stands and what it holds, before anything is decoded.

use rdkafka::Message;
use rdkafka::message::{BorrowedMessage, Headers};
use schemas::Envelope;
use schemas::envelope::EnvelopeError;
use schemas::events::Redriven;

#[derive(Clone, Debug)]
pub struct Received {
    pub partition: i32,
    pub offset: i64,
    pub timestamp_ms: i64,
    pub envelope: Envelope,
    pub value: Vec<u8>,
}

pub fn headers_of<'a>(message: &'a BorrowedMessage<'_>) -> Vec<(&'a str, &'a [u8])> {
    let Some(headers) = message.headers() else { return Vec::new() };
    headers.iter().map(|header| (header.key, header.value.unwrap_or_default())).collect()
}

impl Received {
    /// The record that a re-drive has brought back, at the place of its copy.
    pub fn of_copy(&self, copy: Redriven) -> Result<Received, String> {
        let envelope = copy.envelope().map_err(|cause| cause.to_string())?;
        if envelope.kind == Redriven::KIND {
            return Err("a copy of a copy".to_owned());
        }
        Ok(Received { envelope, value: copy.value, ..*self })
    }

    pub fn read(message: &BorrowedMessage<'_>) -> Result<Received, EnvelopeError> {
        Ok(Received {
            partition: message.partition(),
            offset: message.offset(),
            timestamp_ms: message.timestamp().to_millis().unwrap_or_default(),
            envelope: Envelope::from_headers(headers_of(message).into_iter())?,
            value: message.payload().unwrap_or_default().to_vec(),
        })
    }
}
