//! One record as received: where it stands and what it holds, before anything is decoded.

use rdkafka::Message;
use rdkafka::message::{BorrowedMessage, Headers};
use schemas::Envelope;
use schemas::envelope::EnvelopeError;

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
