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
    ApiKeyContent, AssignmentContent, CommentContent, DatasetContent, DatasetItemContent, DatasetItemsImported,
    FeedbackContent, MemoryContent, PromptContent, PromptCreated, PromptVersionContent, Redriven, RootCauseContent,
    SkillContent, TapeContent, TapePartContent, TraceContent,
};
use schemas::sealing::{self, Sealed};
use schemas::topics::row_version;
use schemas::{Envelope, Event, audit, codec};

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
    /// As the audit has it.
    Write(Box<Write>),
    /// Nothing to this projection, or refused by it before.
    Skipped,
    Poison {
        reason: String,
        value: Vec<u8>,
    },
}

/// A write, with what is to be said of it in the clear.
#[derive(Clone, Debug)]
pub struct Write {
    pub envelope: Envelope,
    pub facts: String,
    pub content: audit::Hash,
}

impl Write {
    /// None where the record is no write. One whose value cannot be read is one without facts.
    pub fn of(record: Received) -> Option<Write> {
        audit::is_write(&record.envelope.kind).then(|| Write {
            facts: audit::facts(&record.envelope.kind, &record.value),
            content: audit::content_hash(record.envelope.client.as_deref(), &record.value),
            envelope: record.envelope,
        })
    }
}

/// What a projection wants of records.
pub enum Wants {
    /// Events of the kinds that it hears, with their content opened.
    Events(fn(&str) -> bool, Box<KeyReader>),
    /// All writes, without their content. None of them is refused.
    Writes,
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
    ApiKey(ApiKeyContent),
    Dataset(Box<DatasetContent>),
    DatasetItem(Box<DatasetItemContent>),
    /// One an item; none where it is erased.
    DatasetItems(Vec<Option<DatasetItemContent>>),
    Comment(CommentContent),
    Assignment(AssignmentContent),
    TapePart(TapePartContent),
    Tape(Box<TapeContent>),
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

    pub fn dataset(&self) -> Cow<'_, DatasetContent> {
        match self {
            Content::Dataset(content) => Cow::Borrowed(content),
            _ => Cow::Owned(DatasetContent::default()),
        }
    }

    pub fn dataset_item(&self) -> Cow<'_, DatasetItemContent> {
        match self {
            Content::DatasetItem(content) => Cow::Borrowed(content),
            _ => Cow::Owned(DatasetItemContent::default()),
        }
    }

    pub fn dataset_items(&self) -> &[Option<DatasetItemContent>] {
        match self {
            Content::DatasetItems(contents) => contents,
            _ => &[],
        }
    }

    pub fn memory(&self) -> Cow<'_, MemoryContent> {
        match self {
            Content::Memory(content) => Cow::Borrowed(content),
            _ => Cow::Owned(MemoryContent::default()),
        }
    }

    pub fn api_key(&self) -> Cow<'_, ApiKeyContent> {
        match self {
            Content::ApiKey(content) => Cow::Borrowed(content),
            _ => Cow::Owned(ApiKeyContent::default()),
        }
    }

    pub fn comment(&self) -> &str {
        match self {
            Content::Comment(content) => &content.body,
            _ => "",
        }
    }

    pub fn assignment(&self) -> &str {
        match self {
            Content::Assignment(content) => &content.note,
            _ => "",
        }
    }

    pub fn tape_part(&self) -> Cow<'_, TapePartContent> {
        match self {
            Content::TapePart(content) => Cow::Borrowed(content),
            _ => Cow::Owned(TapePartContent::default()),
        }
    }

    pub fn tape(&self) -> Cow<'_, TapeContent> {
        match self {
            Content::Tape(content) => Cow::Borrowed(content),
            _ => Cow::Owned(TapeContent::default()),
        }
    }
}

pub struct Decoder {
    settings: Arc<Settings>,
    topic: &'static str,
    projection: &'static str,
    wants: Wants,
    /// As of the last assignment of partitions; later ones are this process's own.
    refusals: Refusals,
}

impl Decoder {
    pub fn new(settings: &Arc<Settings>, topic: &'static str, projection: &'static str, wants: Wants) -> Decoder {
        Decoder { settings: Arc::clone(settings), topic, projection, wants, refusals: Refusals::default() }
    }

    /// Before the first record of newly assigned partitions: another process may have refused some. Blocks on Kafka.
    pub fn assigned(&mut self) -> anyhow::Result<()> {
        if let Wants::Events(..) = self.wants {
            self.refusals = Refusals::read(&self.settings, self.topic, self.projection)?;
        }
        Ok(())
    }

    /// An error means that Kafka does not answer: the same record is tried again.
    pub fn decode(&mut self, message: &BorrowedMessage<'_>) -> anyhow::Result<Decoded> {
        let read = Received::read(message);
        let event_id = read.as_ref().map(|record| record.envelope.id.to_string()).unwrap_or_default();
        let outcome = match read {
            read if matches!(self.wants, Wants::Writes) => {
                let write = read.ok().and_then(Write::of);
                Ok(write.map_or(Outcome::Skipped, |write| Outcome::Write(Box::new(write))))
            }
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
        if !matches!(&self.wants, Wants::Events(hears, _) if hears(&record.envelope.kind)) {
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
            Event::ApiKeyIssued(issued) => Some(&issued.content),
            Event::ApiKeyChanged(changed) => changed.content.as_ref(),
            Event::DatasetCreated(created) => Some(&created.content),
            Event::DatasetChanged(changed) => Some(&changed.content),
            Event::DatasetItemAdded(added) => Some(&added.content),
            Event::DatasetItemChanged(changed) => Some(&changed.content),
            Event::DatasetItemsImported(imported) => return self.dataset_items(record, imported),
            Event::CommentCreated(created) => Some(&created.content),
            Event::CommentChanged(changed) => Some(&changed.content),
            Event::AssignmentCreated(created) => Some(&created.content),
            Event::AssignmentChanged(changed) => changed.content.as_ref(),
            Event::TapePartRecorded(part) => Some(&part.content),
            Event::TapePublished(published) => Some(&published.content),
            Event::TapeChanged(changed) => Some(&changed.content),
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
            Event::ApiKeyIssued(_) | Event::ApiKeyChanged(_) => {
                codec::decode("api_key_content", &plain).map(Content::ApiKey)
            }
            Event::DatasetCreated(_) | Event::DatasetChanged(_) => {
                codec::decode("dataset_content", &plain).map(|content| Content::Dataset(Box::new(content)))
            }
            Event::DatasetItemAdded(_) | Event::DatasetItemChanged(_) => {
                codec::decode("dataset_item_content", &plain).map(|content| Content::DatasetItem(Box::new(content)))
            }
            Event::CommentCreated(_) | Event::CommentChanged(_) => {
                codec::decode("comment_content", &plain).map(Content::Comment)
            }
            Event::AssignmentCreated(_) | Event::AssignmentChanged(_) => {
                codec::decode("assignment_content", &plain).map(Content::Assignment)
            }
            Event::TapePartRecorded(_) => codec::decode("tape_part_content", &plain).map(Content::TapePart),
            Event::TapePublished(_) | Event::TapeChanged(_) => {
                codec::decode("tape_content", &plain).map(|content| Content::Tape(Box::new(content)))
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

    /// Each is sealed under a key of its own.
    fn dataset_items(
        &mut self,
        record: &Received,
        imported: &DatasetItemsImported,
    ) -> anyhow::Result<Result<Content, String>> {
        let mut contents = Vec::with_capacity(imported.items.len());
        for item in &imported.items {
            let content = match self.open(record, &item.content)? {
                None => None,
                Some(plain) => match plain.map(|plain| codec::decode("dataset_item_content", &plain)) {
                    Ok(Ok(content)) => Some(content),
                    Ok(Err(cause)) => return Ok(Err(cause.to_string())),
                    Err(reason) => return Ok(Err(reason)),
                },
            };
            contents.push(content);
        }
        Ok(Ok(Content::DatasetItems(contents)))
    }

    fn open(&mut self, record: &Received, sealed: &Sealed) -> anyhow::Result<Option<Result<Vec<u8>, String>>> {
        let Wants::Events(_, keys) = &mut self.wants else { return Ok(None) };
        let Some(secret) = keys.secret(record.partition, sealed)? else { return Ok(None) };
        Ok(Some(sealing::open(&secret, record.envelope.id, sealed).map_err(|e| e.to_string())))
    }
}
