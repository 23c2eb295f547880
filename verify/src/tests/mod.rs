//! The specification as tests: every expectation is a sentence of docs/SEMANTICS.md, on events made by hand.

mod api_keys;
mod audit;
mod collaboration;
mod datasets;
mod derived;
mod memory;
mod plans;
mod prompts;
mod resources;
mod tapes;
mod traces;
mod usage;
mod workspace;

use schemas::events::{
    Cell, ContentChunk, FeedbackContent, FeedbackGiven, GoldenSet, PayloadField, Phase, PriceTablePublished, Source,
    SpanContent, SpanFacts, TraceContent, TraceDeleted, TraceRecorded, TraceRepriced,
};
use schemas::sealing::{self, Sealed, SealingKey};
use schemas::{Envelope, Event, codec, ids, prices, topics};
use serde::Serialize;
use serde_bytes::ByteArray;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::fold::Fold;
use crate::log::Record;
use crate::view::{TraceState, TraceView};

const TENANT: &str = "acme";
const TRACE: &str = "9debeeaf-b46e-44fd-8a0a-7efe35a59df9";
/// The envelope of the event at offset `n` is of `EPOCH + n` seconds.
const EPOCH: i64 = 1_700_000_000_000_000;

struct Log {
    fold: Fold,
    key: SealingKey,
    next: i64,
}

fn key_record(tenant: &str, trace_id: &str, key: &SealingKey, value: Option<&[u8]>) -> Record {
    Record {
        topic: topics::KEYS,
        partition: 0,
        offset: 0,
        key: sealing::key_record_key(tenant, trace_id, &key.id),
        envelope: Err("none".to_owned()),
        refusal: None,
        value: value.map(<[u8]>::to_vec),
    }
}

impl Log {
    fn new() -> Log {
        let key = SealingKey::generate().unwrap();
        let mut fold = Fold::new();
        fold.apply(key_record(TENANT, TRACE, &key, Some(&key.secret)));
        Log { fold, key, next: 1 }
    }

    /// Appends an event as the command side would, and says where it is.
    fn append(&mut self, id: Uuid, event: &Event) -> i64 {
        self.append_as(TENANT, id, event)
    }

    fn append_as(&mut self, tenant: &str, id: Uuid, event: &Event) -> i64 {
        let offset = self.next;
        self.next += 1;
        let envelope = Envelope {
            id,
            kind: event.kind().to_owned(),
            source: "/test".to_owned(),
            time: OffsetDateTime::from_unix_timestamp_nanos(i128::from(at(offset)) * 1000).unwrap(),
            subject: TRACE.to_owned(),
            tenant: tenant.to_owned(),
            actor: String::new(),
            request_id: String::new(),
            traceparent: None,
            client: None,
        };
        self.fold.apply(Record {
            topic: event.topic(),
            partition: 0,
            offset,
            key: Vec::new(),
            envelope: Ok(envelope),
            refusal: None,
            value: Some(event.encode().unwrap()),
        });
        assert_eq!(self.fold.refused, Vec::<String>::new());
        offset
    }

    fn seal<T: Serialize>(&self, id: Uuid, schema: &'static str, content: &T) -> Sealed {
        sealing::seal(&self.key, id, &codec::encode(schema, content).unwrap()).unwrap()
    }

    fn record(&mut self, mut facts: TraceRecorded, content: TraceContent) -> i64 {
        let id = ids::event_id();
        facts.content = Some(self.seal(id, "trace_content", &content));
        self.append(id, &Event::TraceRecorded(facts))
    }

    /// An event that says nothing but the trace's name.
    fn named(&mut self, phase: Phase, name: &str) -> i64 {
        self.record(facts(phase), TraceContent { name: Some(name.to_owned()), ..Default::default() })
    }

    /// An event about spans only, without content.
    fn spans(&mut self, price_table: &str, spans: Vec<SpanFacts>) -> i64 {
        let facts = TraceRecorded { price_table: price_table.to_owned(), spans, ..facts(Phase::Started) };
        self.append(ids::event_id(), &Event::TraceRecorded(facts))
    }

    fn delete(&mut self) -> i64 {
        self.append(ids::event_id(), &Event::TraceDeleted(TraceDeleted { trace_id: TRACE.to_owned() }))
    }

    fn reprice(&mut self, price_table: &str) -> i64 {
        let repriced = TraceRepriced { trace_id: TRACE.to_owned(), price_table: price_table.to_owned() };
        self.append(ids::event_id(), &Event::TraceRepriced(repriced))
    }

    fn golden(&mut self, golden: bool) -> i64 {
        self.append(ids::event_id(), &Event::GoldenSet(GoldenSet { trace_id: TRACE.to_owned(), golden }))
    }

    fn feedback(&mut self, user: &str, value: i32, note: Option<&str>) -> i64 {
        let id = ids::event_id();
        let content = FeedbackContent { user_id: user.to_owned(), note: note.map(str::to_owned) };
        let content = self.seal(id, "feedback_content", &content);
        self.append(id, &Event::FeedbackGiven(FeedbackGiven { trace_id: TRACE.to_owned(), value, content }))
    }

    fn chunk(&mut self, sha256: [u8; 32], n: i32, of: i32, piece: &[u8]) -> i64 {
        let id = ids::event_id();
        let content = sealing::seal(&self.key, id, piece).unwrap();
        let chunk = ContentChunk { trace_id: TRACE.to_owned(), sha256: ByteArray::new(sha256), n, of, content };
        self.append(id, &Event::ContentChunk(chunk))
    }

    fn erase(&mut self) {
        self.fold.apply(key_record(TENANT, TRACE, &self.key, None));
    }

    fn publish(&mut self, scope: &str, table: &str) -> String {
        let hash = prices::hash(table);
        let packed = zstd::bulk::compress(table.as_bytes(), 1).unwrap();
        let event = PriceTablePublished { hash: hash.clone(), scope: scope.to_owned(), table: packed };
        self.append(ids::event_id(), &Event::PriceTablePublished(event));
        hash
    }

    fn state(&self) -> TraceState {
        self.fold.trace(TENANT, TRACE)
    }

    fn view(&self) -> TraceView {
        self.state().visible().expect("the trace is visible").clone()
    }
}

fn at(offset: i64) -> i64 {
    EPOCH + offset * 1_000_000
}

fn facts(phase: Phase) -> TraceRecorded {
    TraceRecorded {
        trace_id: TRACE.to_owned(),
        source: Source::Post,
        phase,
        price_table: String::new(),
        status: None,
        started_at: None,
        ended_at: None,
        total_duration_us: None,
        total_tokens: None,
        total_cost: None,
        lossy: None,
        spans: Vec::new(),
        content: None,
    }
}

fn span(id: &str, phase: Phase) -> SpanFacts {
    SpanFacts {
        span_id: id.to_owned(),
        phase,
        span_type: None,
        model: None,
        started_at: None,
        ended_at: None,
        duration_us: None,
        input_tokens: None,
        output_tokens: None,
        cache_read_tokens: None,
        cache_write_tokens: None,
        reasoning_tokens: None,
        cost: None,
        failed: false,
    }
}

fn cell(field: PayloadField, value: &str) -> Cell {
    Cell { field, value: value.to_owned(), chunks: 0, sha256: None }
}

fn span_content(name: &str, cells: Vec<Cell>) -> SpanContent {
    SpanContent { name: Some(name.to_owned()), cells, ..Default::default() }
}

/// Callers run the comparison on a multi-threaded runtime.
#[allow(dead_code)]
fn the_comparison_can_be_spawned(options: crate::Options) -> impl Send {
    crate::verify(options)
}
