//! A record → an event with its content opened, or the reason why it cannot be applied.

use std::borrow::Cow;
use std::sync::Arc;

use rdkafka::Message;
use rdkafka::message::BorrowedMessage;
use runtime::Settings;
use runtime::kafka::Received;
use runtime::kafka::keys::KeyReader;
use runtime::kafka::refusals::Refusals;
use schemas::events::{
    FeedbackContent, MemoryContent, PromptContent, PromptCreated, PromptVersionContent, Redriven, RootCauseContent,
    SkillContent, TraceContent,
};
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
    /// Of the record; empty where it does not say.
    pub event_id: String,
    pub outcome: Outcome,
}

#[derive(Clone, Debug)]
pub enum Outcome {
    Event {
        envelope: Box<Envelope>,
        event: Box<Event>,
        content: Content,
    },
    /// Nothing to this projection, or refused by it before.
    Skipped,
    Poison {
        reason: String,
        value: Vec<u8>,
    },
}

#[derive(Clone, Debug)]
pub enum Content {
    None,
    Trace(Box<TraceContent>),
    Feedback(FeedbackContent),
    RootCause(Box<RootCauseContent>),
    Skill(Box<SkillContent>),
    Memory(Box<MemoryContent>),
    Prompt(Box<(PromptContent, PromptVersionContent)>),
    PromptVersion(Box<PromptVersionContent>),
    Chunk(Vec<u8>),
    /// Its key is gone: the event says nothing any more.
    Erased,
}

impl Content {
    /// Erased content says nothing: what is decided without it stays decided (ADR 0016).
    pub fn skill(&self) -> Cow<'_, SkillContent> {
        match self {
            Content::Skill(content) => Cow::Borrowed(content),
            _ => Cow::Owned(SkillContent::default()),
        }
    }

    pub fn prompt(&self) -> Cow<'_, (PromptContent, PromptVersionContent)> {
        match self {
            Content::Prompt(content) => Cow::Borrowed(content),
            _ => Cow::Owned(Default::default()),
        }
    }

    pub fn prompt_version(&self) -> Cow<'_, PromptVersionContent> {
        match self {
            Content::PromptVersion(content) => Cow::Borrowed(content),
            _ => Cow::Owned(PromptVersionContent::default()),
        }
    }

    pub fn memory(&self) -> Cow<'_, MemoryContent> {
        match self {
            Content::Memory(content) => Cow::Borrowed(content),
            _ => Cow::Owned(MemoryContent::default()),
        }
    }
}

pub struct Decoder {
    settings: Arc<Settings>,
    topic: &'static str,
    projection: &'static str,
    hears: fn(&str) -> bool,
    keys: Option<KeyReader>,
    /// As of the last assignment of partitions; later ones are this process's own.
    refusals: Refusals,
}

impl Decoder {
    pub fn new(
        settings: &Arc<Settings>,
        topic: &'static str,
        projection: &'static str,
        hears: fn(&str) -> bool,
        keys: Option<KeyReader>,
    ) -> Decoder {
        Decoder { settings: Arc::clone(settings), topic, projection, hears, keys, refusals: Refusals::default() }
    }

    /// Before the first record of newly assigned partitions: another process may have refused some. Blocks on Kafka.
    pub fn assigned(&mut self) -> anyhow::Result<()> {
        self.refusals = Refusals::read(&self.settings, self.topic, self.projection)?;
        Ok(())
    }

    /// An error means that Kafka does not answer: the same record is tried again.
    pub fn decode(&mut self, message: &BorrowedMessage<'_>) -> anyhow::Result<Decoded> {
        let read = Received::read(message);
        let event_id = read.as_ref().map(|record| record.envelope.id.to_string()).unwrap_or_default();
        let outcome = match read {
            _ if self.refusals.has(message.partition(), message.offset()) => Ok(Outcome::Skipped),
            Ok(record) => self.outcome(record)?,
            Err(cause) => Err(cause.to_string()),
        };
        Ok(Decoded {
            partition: message.partition(),
            offset: message.offset(),
            version: row_version(EPOCH, message.offset()),
            timestamp_ms: message.timestamp().to_millis().unwrap_or_default(),
            bytes: message.payload_len() + 256,
            event_id,
            outcome: outcome.unwrap_or_else(|reason| Outcome::Poison {
                reason,
                value: message.payload().unwrap_or_default().to_vec(),
            }),
        })
    }

    /// The inner error is what makes the record poison.
    fn outcome(&mut self, mut record: Received) -> anyhow::Result<Result<Outcome, String>> {
        if record.envelope.kind == Redriven::KIND {
            match self.copied(&record) {
                Ok(Some(copied)) => record = copied,
                Ok(None) => return Ok(Ok(Outcome::Skipped)),
                Err(reason) => return Ok(Err(reason)),
            }
        }
        if !(self.hears)(&record.envelope.kind) {
            return Ok(Ok(Outcome::Skipped));
        }
        let event = match Event::decode(&record.envelope.kind, &record.value) {
            Some(Ok(event)) => event,
            Some(Err(cause)) => return Ok(Err(cause.to_string())),
            None => return Ok(Err(format!("this version does not know {}", record.envelope.kind))),
        };
        let content = self.content(&record, &event)?;
        Ok(content.map(|content| Outcome::Event {
            envelope: Box::new(record.envelope),
            event: Box::new(event),
            content,
        }))
    }

    /// What a re-drive has brought back for this projection.
    fn copied(&self, record: &Received) -> Result<Option<Received>, String> {
        match Event::decode(&record.envelope.kind, &record.value) {
            Some(Ok(Event::Redriven(copy))) if copy.projection == self.projection => record.of_copy(copy).map(Some),
            Some(Err(cause)) => Err(cause.to_string()),
            _ => Ok(None),
        }
    }

    fn content(&mut self, record: &Received, event: &Event) -> anyhow::Result<Result<Content, String>> {
        let sealed = match event {
            Event::TraceRecorded(recorded) => recorded.content.as_ref(),
            Event::FeedbackGiven(given) => Some(&given.content),
            Event::RootCauseFound(found) => Some(&found.content),
            Event::ContentChunk(chunk) => Some(&chunk.content),
            Event::SkillCreated(created) => Some(&created.content),
            Event::SkillChanged(changed) => Some(&changed.content),
            Event::MemoryStored(stored) => Some(&stored.content),
            Event::PromptCreated(created) => return self.prompt(record, created),
            Event::PromptVersionAdded(added) => Some(&added.version),
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
            Event::RootCauseFound(_) => {
                codec::decode("root_cause_content", &plain).map(|content| Content::RootCause(Box::new(content)))
            }
            Event::SkillCreated(_) | Event::SkillChanged(_) => {
                codec::decode("skill_content", &plain).map(|content| Content::Skill(Box::new(content)))
            }
            Event::PromptVersionAdded(_) => {
                codec::decode("prompt_version_content", &plain).map(|content| Content::PromptVersion(Box::new(content)))
            }
            Event::MemoryStored(_) => {
                codec::decode("memory_content", &plain).map(|content| Content::Memory(Box::new(content)))
            }
            _ => Ok(Content::Chunk(plain)),
        }
        .map_err(|e| e.to_string()))
    }

    /// Its two parts are sealed under one key.
    fn prompt(&mut self, record: &Received, created: &PromptCreated) -> anyhow::Result<Result<Content, String>> {
        let opened = (self.open(record, &created.content)?, self.open(record, &created.version)?);
        let (Some(content), Some(version)) = opened else { return Ok(Ok(Content::Erased)) };
        let decoded = |content: Vec<u8>, version: Vec<u8>| {
            Ok((codec::decode("prompt_content", &content)?, codec::decode("prompt_version_content", &version)?))
        };
        Ok(content.and_then(|content| {
            let parts = decoded(content, version?).map_err(|e: codec::CodecError| e.to_string())?;
            Ok(Content::Prompt(Box::new(parts)))
        }))
    }

    fn open(&mut self, record: &Received, sealed: &Sealed) -> anyhow::Result<Option<Result<Vec<u8>, String>>> {
        let Some(keys) = &mut self.keys else { return Ok(None) };
        let Some(secret) = keys.secret(record.partition, sealed)? else { return Ok(None) };
        Ok(Some(sealing::open(&secret, record.envelope.id, sealed).map_err(|e| e.to_string())))
    }
}
