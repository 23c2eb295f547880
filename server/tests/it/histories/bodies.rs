//! Bodies of POST and PATCH as clients send them: any part of a trace, in any order.

use crate::harness::Random;
use serde_json::{Map, Value, json};
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

/// 2025-11-18T23:59:30Z in microseconds: a little before midnight, so that traces move between days.
pub const BASE: i64 = 1_763_510_370_000_000;
const STARTS: [i64; 6] = [0, 10_000_000, 29_999_999, 30_000_000, 45_500_000, 86_400_000_000];
/// From a start to its end; a little before it is a clock step.
const LENGTHS: [i64; 5] = [-5_000_000, 0, 1, 2_500_000, 90_000_000_000];
pub const NAMES: [&str; 3] = ["research-agent", "Writer", "the writer ö"];
pub const MODELS: [&str; 4] = ["gpt-4o-mini", "GPT-4o", "claude-sonnet-4-5", "a model of nobody"];
pub const SPANS: [&str; 3] = ["00f067aa0ba902b7", "9DEBEEAF-b46e-44fd-8a0a-7efe35a59df9", "00f067aa0ba902b8"];
const ERRORS: [&str; 4] = ["boom", "HTTP status 429, after", "Traceback:\n  File", "timed out after"];
const TYPES: [&str; 7] = ["llm_call", "tool_call", "tool_result", "reasoning", "action", "error", "fork_point"];
const TOKENS: [u64; 5] = [0, 1, 17, 1_000, 250_000];
const PARTS: [(&str, &str); 3] = [
    ("cache_read_tokens", "input_tokens"),
    ("cache_write_tokens", "input_tokens"),
    ("reasoning_tokens", "output_tokens"),
];
const COSTS: [f64; 6] = [0.0, 0.1, 1e-7, 4.8e-06, 0.000_000_123_456_789, 12.5];

struct Body<'r> {
    random: &'r mut Random,
    fields: Map<String, Value>,
}

impl Body<'_> {
    fn maybe(&mut self, chance: usize, name: &str, value: impl FnOnce(&mut Random) -> Value) {
        if self.random.percent(chance) {
            let value = value(self.random);
            self.fields.insert(name.to_owned(), value);
        }
    }

    fn times(&mut self, start: usize, end: usize) {
        let started = BASE + self.random.pick(&STARTS);
        let ended = started + self.random.pick(&LENGTHS);
        self.maybe(start, "started_at", |random| time(random, started));
        self.maybe(end, "ended_at", |random| time(random, ended));
    }
}

pub fn body(random: &mut Random) -> Value {
    let mut body = Body { random, fields: Map::new() };
    body.times(45, 35);
    body.maybe(40, "name", |random| json!(random.pick(&NAMES)));
    body.maybe(40, "status", |random| json!(random.pick(&["running", "running", "completed", "failed"])));
    body.maybe(25, "input", payload);
    body.maybe(25, "output", payload);
    body.maybe(15, "error", |random| json!(format!("{} {}", random.pick(&ERRORS), random.below(5))));
    body.maybe(25, "metadata", |random| {
        let mut metadata = json!({"k": random.below(5)});
        if random.percent(30) {
            metadata["environment"] = json!(random.pick(&["e", "f"]));
        }
        metadata
    });
    body.maybe(20, "session_id", |random| json!(random.pick(&["s1", "s2"])));
    body.maybe(20, "user_id", |random| json!(random.pick(&["u1", "u2"])));
    body.maybe(35, "project_id", |random| json!(random.pick(&["p", "q"])));
    body.maybe(25, "environment", |random| json!(random.pick(&["e", "f"])));
    body.maybe(25, "tags", |random| json!(["a", "b", "c"][random.below(3)..]));
    body.maybe(25, "total_tokens", |random| json!(random.pick(&TOKENS)));
    body.maybe(25, "total_cost", |random| json!(random.pick(&COSTS)));
    body.maybe(20, "total_duration_ms", |random| json!(random.below(4000) as f64 / 8.0));
    body.maybe(15, "lossy", |random| json!(random.percent(50)));
    body.maybe(60, "spans", |random| (0..random.below(4)).map(|_| span(random)).collect());
    Value::Object(body.fields)
}

fn span(random: &mut Random) -> Value {
    let mut span = Body { random, fields: Map::new() };
    span.times(100, 40);
    let at = span.random.below(SPANS.len());
    span.maybe(95, "id", |_| json!(SPANS[at]));
    // Only earlier ones, so that no cycle comes of it.
    span.maybe(30, "parent_id", |random| json!(if at > 0 { SPANS[random.below(at)] } else { "ffffffffffffffff" }));
    span.maybe(100, "span_type", |random| json!(random.pick(&TYPES)));
    span.maybe(40, "name", |random| json!(format!("step {}", random.below(9))));
    span.maybe(50, "model", |random| json!(random.pick(&MODELS)));
    for name in ["input", "output", "token_ids", "logprobs"] {
        span.maybe(20, name, payload);
    }
    span.maybe(15, "error", |random| json!(format!("{} in a span {}", random.pick(&ERRORS), random.below(5))));
    span.maybe(20, "metadata", |random| {
        let mut metadata = json!({"n": random.below(9), "temperature": random.below(2)});
        if random.percent(50) {
            metadata["prompt_name"] = json!("greeting");
            metadata["prompt_version"] = json!(1 + random.below(2));
        }
        metadata
    });
    span.maybe(40, "input_tokens", |random| json!(random.pick(&TOKENS)));
    span.maybe(40, "output_tokens", |random| json!(random.pick(&TOKENS)));
    // At most as many as the counts that they are part of.
    for (name, whole) in PARTS {
        let most = span.fields.get(whole).and_then(Value::as_u64).unwrap_or(1_000);
        span.maybe(20, name, |random| json!(most / [1, 2, 3, 7][random.below(4)] / 2));
    }
    span.maybe(25, "cost", |random| json!(random.pick(&COSTS)));
    span.maybe(20, "duration_ms", |random| json!(random.below(4000) as f64 / 8.0));
    for name in ["agent_id", "parent_agent_id", "agent_role"] {
        span.maybe(15, name, |random| json!(format!("{name} {}", random.below(3))));
    }
    Value::Object(span.fields)
}

fn payload(random: &mut Random) -> Value {
    match random.below(60) {
        // Goes ahead in chunks.
        0 => json!("ö".repeat(140_000 + random.below(9))),
        1..10 => Value::Null,
        // With beginnings that are hashed, some of them shared.
        10..14 => {
            json!({"messages": [{"role": "system", "content": "be brief. ".repeat(250 + random.below(2))}, random.below(3)]})
        }
        14..30 => {
            json!({"messages": [{"role": "user", "content": format!("hi {}", random.below(99))}], "": [1.5, null]})
        }
        30..45 => json!([random.below(9), "a\u{0}b", true]),
        _ => json!(format!("text {}", random.below(99))),
    }
}

/// One instant, in one of the ways to write it.
fn time(random: &mut Random, micros: i64) -> Value {
    let utc = OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000).unwrap();
    let offset = UtcOffset::from_hms(*random.pick(&[0, 0, 2, -7]), 0, 0).unwrap();
    json!(utc.to_offset(offset).format(&Rfc3339).unwrap())
}
