//! A record → an event with its content opened, or the reason why it cannot be applied.

use rdkafka::Message;
use rdkafka::message::BorrowedMessage;
use runtime::kafka::Received;
use runtime::kafka::keys::KeyReader;
use schemas::events::{FeedbackContent, TraceContent};
use schemas::sealing::{self, Sealed};
use schemas::topics::row_version;
use schemas::{Envelope, Event, codec};

/// The log's epoch; a later one would be written by replay into new topics.
pub const EPOCH: i32 = 0;

#[derive(Clone, Debug)]
pub struct Decoded {
    pub partition: i32,
    pub offset: i64,
    pub version: u64,
    pub timestamp_ms: i64,
    pub bytes: usize,
    pub outcome: Outcome,
}

#[derive(Clone, Debug)]
pub enum Outcome {
    Event {
        envelope: Envelope,
        event: Box<Event>,
        content: Content,
    },
    /// Of a kind that this projection does not hear.
    Skipped {
        event_id: String,
    },
    Poison {
        reason: String,
        value: Vec<u8>,
        event_id: String,
    },
}

#[derive(Clone, Debug)]
pub enum Content {
    None,
    Trace(Box<TraceContent>),
    Feedback(FeedbackContent),
    Chunk(Vec<u8>),
    /// Its key is gone: the event says nothing any more.
    Erased,
}

impl Decoded {
    pub fn event_id(&self) -> String {
        match &self.outcome {
            Outcome::Event { envelope, .. } => envelope.id.to_string(),
            Outcome::Skipped { event_id } | Outcome::Poison { event_id, .. } => event_id.clone(),
        }
    }
}

pub struct Decoder {
    keys: Option<KeyReader>,
    hears: fn(&str) -> bool,
}

impl Decoder {
    pub fn new(keys: Option<KeyReader>, hears: fn(&str) -> bool) -> Decoder {
        Decoder { keys, hears }
    }

    /// An error means that Kafka does not answer: the same record is tried again.
    pub fn decode(&mut self, message: &BorrowedMessage<'_>) -> anyhow::Result<Decoded> {
        let decoded = |outcome| Decoded {
            partition: message.partition(),
            offset: message.offset(),
            version: row_version(EPOCH, message.offset()),
            timestamp_ms: message.timestamp().to_millis().unwrap_or_default(),
            bytes: message.payload_len() + 256,
            outcome,
        };
        let poison = |event_id: String, reason: String| {
            decoded(Outcome::Poison { reason, value: message.payload().unwrap_or_default().to_vec(), event_id })
        };
        let record = match Received::read(message) {
            Ok(record) => record,
            Err(cause) => return Ok(poison(String::new(), cause.to_string())),
        };
        let event_id = record.envelope.id.to_string();
        if !(self.hears)(&record.envelope.kind) {
            return Ok(decoded(Outcome::Skipped { event_id }));
        }
        let event = match Event::decode(&record.envelope.kind, &record.value) {
            Some(Ok(event)) => event,
            Some(Err(cause)) => return Ok(poison(event_id, cause.to_string())),
            None => return Ok(poison(event_id, format!("this version does not know {}", record.envelope.kind))),
        };
        match self.content(&record, &event)? {
            Ok(content) => Ok(decoded(Outcome::Event { envelope: record.envelope, event: Box::new(event), content })),
            Err(reason) => Ok(poison(event_id, reason)),
        }
    }

    fn content(&mut self, record: &Received, event: &Event) -> anyhow::Result<Result<Content, String>> {
        let sealed = match event {
            Event::TraceRecorded(recorded) => recorded.content.as_ref(),
            Event::FeedbackGiven(given) => Some(&given.content),
            Event::ContentChunk(chunk) => Some(&chunk.content),
            _ => None,
        };
        let Some(sealed) = sealed else { return Ok(Ok(Content::None)) };
        let Some(plain) = self.open(record, sealed)? else { return Ok(Ok(Content::Erased)) };
        let plain = match plain {
            Ok(plain) => plain,
            Err(reason) => return Ok(Err(reason)),
        };
        Ok(match event {
            Event::TraceRecorded(_) => {
                codec::decode("trace_content", &plain).map(|content| Content::Trace(Box::new(content)))
            }
            Event::FeedbackGiven(_) => codec::decode("feedback_content", &plain).map(Content::Feedback),
            _ => Ok(Content::Chunk(plain)),
        }
        .map_err(|e| e.to_string()))
    }

    fn open(&mut self, record: &Received, sealed: &Sealed) -> anyhow::Result<Option<Result<Vec<u8>, String>>> {
        let Some(keys) = &mut self.keys else { return Ok(None) };
        let Some(secret) = keys.secret(record.partition, sealed)? else { return Ok(None) };
        Ok(Some(sealing::open(&secret, record.envelope.id, sealed).map_err(|e| e.to_string())))
    }
}
