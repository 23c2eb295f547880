//! Random histories: what they say, as events, and as what the reference fold reads.

use schemas::events::{
    Cell, FeedbackContent, FeedbackGiven, GoldenSet, PayloadField, Phase, PriceTablePublished, RootCauseContent,
    RootCauseFound, Source, SpanContent, SpanFacts, SpanType, TraceContent, TraceDeleted, TraceRecorded, TraceRepriced,
    TraceStatus,
};
use schemas::prices::PriceBook;
use schemas::sealing::{self, SealingKey, key_record_key};
use schemas::topics::{self, row_version};
use schemas::{Envelope, Event, Money, codec, ids};
use time::OffsetDateTime;
use uuid::Uuid;
use verify::{Fold, Record};

use crate::log::decode::{Content, Decoded, Outcome};

pub const PARTITION: i32 = 3;
pub const TENANTS: [&str; 2] = ["acme", "globex"];
pub const TRACES: [&str; 2] = ["9debeeaf-b46e-44fd-8a0a-7efe35a59df9", "4bf92f3577b34da6a3ce929d0e0e4736"];
const SPANS: [&str; 2] = ["00f067aa0ba902b7", "00f067aa0ba902b8"];
/// Two days, so that traces move between buckets.
const TIMES: [i64; 3] = [1_763_600_000_000_000, 1_763_600_001_000_000, 1_763_700_000_000_000];

/// Names of price tables: one knows the model `m`, the other both models and a price that changes between the times.
const TABLES: [&str; 2] = ["of m", "of both"];
const NAMED: [&str; 4] = ["", "of m", "of both", "of m,of both"];

#[derive(Clone, Debug)]
pub struct Op {
    pub tenant: usize,
    pub trace: usize,
    pub what: What,
}

#[derive(Clone, Debug)]
pub enum What {
    Record(Box<TraceRecorded>, Box<TraceContent>),
    Delete,
    /// By these tables.
    Reprice(&'static str),
    Golden(bool),
    Feedback(usize, i32),
    RootCause,
}

/// xorshift: a failure names its seed, and the seed is the history.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }
    pub fn maybe<T>(&mut self, of: impl FnOnce(&mut Random) -> T) -> Option<T> {
        (self.below(2) == 0).then(|| of(self))
    }
    pub fn pick<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize].clone()
    }
}

pub fn random(seed: u64) -> Vec<Op> {
    let random = &mut Random::new(seed);
    let length = 2 + random.below(10);
    (0..length).map(|n| op(random, n)).collect()
}

fn op(random: &mut Random, n: u64) -> Op {
    let what = match random.below(13) {
        0 => What::Delete,
        12 => What::RootCause,
        1 => What::Golden(random.below(2) == 0),
        2 | 3 => What::Reprice(random.pick(&NAMED)),
        4 => What::Feedback(random.below(2) as usize, if random.below(2) == 0 { 1 } else { -1 }),
        _ => record(random, n),
    };
    Op { tenant: random.below(2) as usize, trace: random.below(2) as usize, what }
}

fn phase(random: &mut Random) -> Phase {
    random.pick(&[Phase::Started, Phase::Ended])
}

fn record(random: &mut Random, n: u64) -> What {
    let spans = random.below(4);
    let facts = TraceRecorded {
        trace_id: String::new(),
        source: Source::Post,
        phase: phase(random),
        price_table: random.pick(&NAMED).to_owned(),
        status: random
            .maybe(|random| random.pick(&[TraceStatus::Running, TraceStatus::Completed, TraceStatus::Failed])),
        started_at: random.maybe(|random| random.pick(&TIMES)),
        ended_at: random.maybe(|random| random.pick(&TIMES) + 5),
        total_duration_us: random.maybe(|random| random.below(9) as i64),
        total_tokens: random.maybe(|random| random.below(9) as i64),
        total_cost: random.maybe(|random| Money(i128::from(random.below(9)))),
        lossy: random.maybe(|random| random.below(2) == 0),
        spans: (0..spans).map(|_| span(random)).collect(),
        content: None,
    };
    let content = TraceContent {
        name: random.maybe(|_| format!("name {n}")),
        project_id: random.maybe(|random| random.pick(&["p", "q"]).to_owned()),
        environment: random.maybe(|random| random.pick(&["e", "f"]).to_owned()),
        tags: random.maybe(|random| vec![random.pick(&["a", "b"]).to_owned()]),
        cells: cells(random, n),
        warnings: random.maybe(|_| format!("warning {}", n % 3)).into_iter().collect(),
        spans: (0..spans)
            .map(|_| SpanContent {
                name: random.maybe(|_| format!("span {n}")),
                cells: cells(random, n),
                ..SpanContent::default()
            })
            .collect(),
        ..TraceContent::default()
    };
    What::Record(Box::new(facts), Box::new(content))
}

fn cells(random: &mut Random, n: u64) -> Vec<Cell> {
    let fields = [PayloadField::Input, PayloadField::Output, PayloadField::Error, PayloadField::Metadata];
    let mut cells = Vec::new();
    for field in fields {
        if random.below(3) == 0 {
            let value = match field {
                PayloadField::Error => random.pick(&["", "it broke", "it hangs"]).to_owned(),
                // The same prompt again, and one with heads.
                PayloadField::Input => [n.to_string(), "again".to_owned(), "head ".repeat(600 + n as usize)]
                    [random.below(3) as usize]
                    .clone(),
                PayloadField::Metadata => random
                    .pick(&["{}", r#"{"temperature":0.2}"#, r#"{"prompt_name":"a","prompt_version":2}"#])
                    .to_owned(),
                _ => n.to_string(),
            };
            cells.push(Cell { field, value, chunks: 0, sha256: None });
        }
    }
    cells
}

fn span(random: &mut Random) -> SpanFacts {
    SpanFacts {
        span_id: random.pick(&SPANS).to_owned(),
        phase: phase(random),
        span_type: random.maybe(|random| random.pick(SpanType::ALL)),
        model: random.maybe(|random| random.pick(&["m", "n"]).to_owned()),
        started_at: random.maybe(|random| random.pick(&TIMES)),
        ended_at: None,
        duration_us: random.maybe(|random| random.below(9) as i64),
        input_tokens: random.maybe(|random| random.below(9) as i64),
        output_tokens: random.maybe(|random| random.below(9) as i64),
        cache_read_tokens: random.maybe(|random| random.below(9) as i64),
        cache_write_tokens: random.maybe(|random| random.below(9) as i64),
        reasoning_tokens: random.maybe(|random| random.below(9) as i64),
        cost: random.maybe(|random| Money(i128::from(random.below(9)))),
        failed: random.below(4) == 0,
    }
}

/// The log of a history: record 0 creates it, operation n is record n + 1.
pub struct Log {
    pub decoded: Vec<Decoded>,
    pub fold: Fold,
}

pub fn log(ops: &[Op]) -> Log {
    let mut log = Log { decoded: vec![created()], fold: Fold::new() };
    let key = SealingKey { id: [7; 16], offset: 0, secret: [9; 32] };
    for tenant in TENANTS {
        for trace in TRACES {
            log.fold.apply(Record {
                topic: topics::KEYS,
                partition: PARTITION,
                offset: 0,
                key: key_record_key(tenant, trace, &key.id),
                envelope: Err("none".to_owned()),
                refusal: None,
                value: Some(key.secret.to_vec()),
            });
        }
    }
    for name in TABLES {
        publish(&mut log.fold, name);
    }
    for op in ops {
        append(&mut log, &key, op);
    }
    assert_eq!(log.fold.refused, Vec::<String>::new());
    log
}

/// What the tables of the histories say.
fn table(name: &str) -> String {
    const LATER: &str = "2025-11-20T12:00:00Z";
    let model = |name: &str, prices: &str| format!(r#"{{"provider":"p","model":"{name}","prices":[{prices}]}}"#);
    let price = |from: &str, to: &str, input: &str| {
        let cached = r#""cache_read":"0.1","tiers":[{"above_input_tokens":6,"input":"13","output":"3"}]"#;
        format!(r#"{{"valid_from":{from},"valid_to":{to},"source":"test","input":"{input}","output":"2",{cached}}}"#)
    };
    let later = format!("\"{LATER}\"");
    let models = match name {
        "of m" => model("m", &price("null", "null", "1")),
        _ => [
            model("m", &price("null", "null", "3")),
            model("n", &[price("null", &later, "5"), price(&later, "null", "7")].join(",")),
        ]
        .join(","),
    };
    format!(r#"{{"version":"t","currency":"USD","unit":"","models":[{models}]}}"#)
}

/// The tables as the projection has them.
pub fn price_book() -> PriceBook {
    let mut book = PriceBook::default();
    for name in TABLES {
        book.add(name, &table(name)).unwrap();
    }
    book
}

fn publish(fold: &mut Fold, name: &str) {
    let packed = zstd::bulk::compress(table(name).as_bytes(), 1).unwrap();
    let event =
        Event::PriceTablePublished(PriceTablePublished { hash: name.to_owned(), scope: String::new(), table: packed });
    fold.apply(Record {
        topic: event.topic(),
        partition: 0,
        offset: 0,
        key: Vec::new(),
        envelope: Ok(envelope(&event, ids::event_id(), "", "prices", 0)),
        refusal: None,
        value: Some(event.encode().unwrap()),
    });
}

fn envelope(event: &Event, id: Uuid, tenant: &str, subject: &str, offset: i64) -> Envelope {
    Envelope {
        id,
        kind: event.kind().to_owned(),
        source: "/test".to_owned(),
        // Clocks run backwards now and then.
        time: OffsetDateTime::from_unix_timestamp(1_763_600_000 + (offset * 7) % 5).unwrap(),
        subject: subject.to_owned(),
        tenant: tenant.to_owned(),
        actor: String::new(),
        request_id: String::new(),
        traceparent: None,
        client: None,
    }
}

fn created() -> Decoded {
    Decoded {
        partition: PARTITION,
        offset: 0,
        version: 0,
        timestamp_ms: 0,
        bytes: 1,
        event_id: "created".to_owned(),
        outcome: Outcome::Skipped,
    }
}

fn root_cause(offset: i64) -> RootCauseContent {
    RootCauseContent {
        question: String::new(),
        root_cause: offset.to_string(),
        failed_step: String::new(),
        failed_span_id: None,
        contributing_factors: Vec::new(),
        suggested_fix: String::new(),
        confidence: 0.5,
    }
}

fn append(log: &mut Log, key: &SealingKey, op: &Op) {
    let offset = log.decoded.len() as i64;
    let trace_id = TRACES[op.trace].to_owned();
    let id = ids::event_id();
    let seal = |plain: Vec<u8>| sealing::seal(key, id, &plain).unwrap();
    let (event, content) = match &op.what {
        What::Record(facts, content) => {
            let sealed = seal(codec::encode("trace_content", content.as_ref()).unwrap());
            let facts = TraceRecorded { trace_id: trace_id.clone(), content: Some(sealed), ..facts.as_ref().clone() };
            (Event::TraceRecorded(facts), Content::Trace(content.clone()))
        }
        What::Delete => (Event::TraceDeleted(TraceDeleted { trace_id: trace_id.clone() }), Content::None),
        What::Reprice(tables) => {
            let repriced = TraceRepriced { trace_id: trace_id.clone(), price_table: (*tables).to_owned() };
            (Event::TraceRepriced(repriced), Content::None)
        }
        What::Golden(golden) => {
            (Event::GoldenSet(GoldenSet { trace_id: trace_id.clone(), golden: *golden }), Content::None)
        }
        What::Feedback(user, value) => {
            let content = FeedbackContent { user_id: format!("user {user}"), note: Some(offset.to_string()) };
            let sealed = seal(codec::encode("feedback_content", &content).unwrap());
            let given = FeedbackGiven { trace_id: trace_id.clone(), value: *value, content: sealed };
            (Event::FeedbackGiven(given), Content::Feedback(content))
        }
        What::RootCause => {
            let content = root_cause(offset);
            let found = RootCauseFound {
                trace_id: trace_id.clone(),
                engine: "gemini".to_owned(),
                model: "a model".to_owned(),
                input_tokens: 1,
                output_tokens: 1,
                content: seal(codec::encode("root_cause_content", &content).unwrap()),
            };
            (Event::RootCauseFound(found), Content::RootCause(Box::new(content)))
        }
    };
    let envelope = envelope(&event, id, TENANTS[op.tenant], &trace_id, offset);
    log.fold.apply(Record {
        topic: event.topic(),
        partition: PARTITION,
        offset,
        key: Vec::new(),
        envelope: Ok(envelope.clone()),
        refusal: None,
        value: Some(event.encode().unwrap()),
    });
    log.decoded.push(Decoded {
        partition: PARTITION,
        offset,
        version: row_version(0, offset),
        timestamp_ms: 0,
        bytes: 1,
        event_id: envelope.id.to_string(),
        outcome: Outcome::Event { envelope: Box::new(envelope), event: Box::new(event), content },
    });
}
