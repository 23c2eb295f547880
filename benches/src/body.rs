//! The traces of a run, as request bodies.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::to_writer;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{Duration, OffsetDateTime};

use traffic::{Incident, Random};

use crate::corpus::Corpus;
use crate::made_up;
use crate::options::{Encoding, Options};

const MICROS: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");
const MODELS: &[&str] =
    &["gpt-4o", "gpt-4o-mini", "gpt-4.1", "claude-3-5-sonnet-20240620", "claude-3-5-haiku-20241022", "gpt-4.1-nano"];
const TOOLS: &[&str] = &["web_search", "read_file", "run_query", "get_weather"];
/// What JSON adds to a text, in the mean over the payloads.
const WITHOUT_ESCAPES: f64 = 0.925;
const SPAN_LASTS: Duration = Duration::milliseconds(36);
const SPAN_EVERY: Duration = Duration::milliseconds(40);

pub struct Plan {
    /// In the mean.
    pub spans_per_trace: f64,
    pub rate: u64,
    pub encoding: Encoding,
    /// Of the probes, and of all traces of a run without traffic, and no others.
    project: String,
    traces: Traces,
    span_bytes: usize,
    seed: u64,
    corpus: Corpus,
}

enum Traces {
    /// Of one size, and of this moment.
    Equal {
        spans: u64,
        of: u64,
    },
    Traffic(Box<traffic::Traffic>),
}

/// One trace, to be posted in one request.
pub struct Body {
    pub id: String,
    pub json: Vec<u8>,
    pub spans: u64,
    /// Bytes of the spans' inputs and outputs.
    pub payload: u64,
}

impl Plan {
    pub fn new(options: &Options) -> anyhow::Result<Plan> {
        // Another run makes other traces.
        let seed = OffsetDateTime::now_utc().unix_timestamp_nanos() as u64;
        let (traces, spans_per_trace) = if options.traffic.traffic {
            let (traffic, spans) = made_up::traffic(&options.traffic, seed, options.spans);
            (Traces::Traffic(Box::new(traffic)), spans)
        } else {
            let of = options.spans_per_trace;
            (Traces::Equal { spans: options.spans, of }, of as f64)
        };
        Ok(Plan {
            project: format!("bench-{seed:x}"),
            traces,
            spans_per_trace,
            rate: options.rate,
            encoding: options.encoding(),
            span_bytes: options.span_bytes,
            seed,
            corpus: Corpus::shipped()?,
        })
    }

    pub fn traces(&self) -> u64 {
        match &self.traces {
            Traces::Equal { spans, of } => spans.div_ceil(*of),
            Traces::Traffic(traffic) => traffic.traces(),
        }
    }

    /// When a trace is due, in seconds after the start; `None`: as soon as possible.
    pub fn due(&self, index: u64) -> Option<f64> {
        (self.rate > 0).then(|| index as f64 * self.spans_per_trace / self.rate as f64)
    }

    pub fn trace(&self, index: u64) -> anyhow::Result<Body> {
        match &self.traces {
            Traces::Equal { spans, of } => self.build(Random::new(self.seed, index), (*of).min(spans - index * of)),
            Traces::Traffic(traffic) => made_up::body(&traffic.trace(index)),
        }
    }

    /// Filters of the list that find the traces of this run, the probes among them, each once.
    pub fn found_by(&self) -> Vec<String> {
        let mut filters = vec![format!("project_id={}", self.project)];
        if let Traces::Traffic(traffic) = &self.traces {
            filters.push(format!("tag={}", traffic.shape().tag));
        }
        filters
    }

    /// What is planted in the traffic.
    pub fn incidents(&self) -> &[Incident] {
        match &self.traces {
            Traces::Equal { .. } => &[],
            Traces::Traffic(traffic) => traffic.incidents(),
        }
    }

    /// A trace of one span beside those that are counted.
    pub fn probe(&self, index: u64) -> anyhow::Result<Body> {
        self.build(Random::new(!self.seed, index), 1)
    }

    fn build(&self, mut random: Random, spans: u64) -> anyhow::Result<Body> {
        let id = random.uuid().to_string();
        let ended = OffsetDateTime::now_utc();
        let started = ended - SPAN_EVERY * spans as f64;
        let mut json = Vec::with_capacity(spans as usize * (self.span_bytes + 512) + 512);
        let mut payload = 0;
        write!(
            json,
            r#"{{"id":"{id}","name":"research-agent","status":"completed","started_at":"{}","ended_at":"{}","project_id":"{}","session_id":"{}","input":{{"args":["#,
            started.format(MICROS)?,
            ended.format(MICROS)?,
            self.project,
            random.uuid(),
        )?;
        to_writer(&mut json, &self.corpus.completion(&mut random, 60))?;
        json.extend_from_slice(br#"],"kwargs":{}},"output":"#);
        to_writer(&mut json, &self.corpus.completion(&mut random, 60))?;
        write!(json, r#","metadata":{{"environment":"bench"}},"span_count":{spans},"spans":["#)?;
        for number in 0..spans {
            if number > 0 {
                json.push(b',');
            }
            let at = started + SPAN_EVERY * number as f64;
            payload += self.span(&mut json, &mut random, &id, number, at)?;
        }
        json.extend_from_slice(b"]}");
        Ok(Body { id, json, spans, payload })
    }

    /// Appends a span: two of three are calls of a model, the others of a tool.
    fn span(
        &self,
        json: &mut Vec<u8>,
        random: &mut Random,
        trace: &str,
        number: u64,
        at: OffsetDateTime,
    ) -> anyhow::Result<u64> {
        // Sizes as in the wild: many small ones, few large ones.
        let bytes = (self.span_bytes as f64 * WITHOUT_ESCAPES * (0.2 - 0.8 * random.unit().ln())) as usize;
        let answer = bytes / 3;
        write!(
            json,
            r#"{{"id":"{}","trace_id":"{trace}","parent_id":null,"started_at":"{}","ended_at":"{}","duration_ms":{},"#,
            random.uuid(),
            at.format(MICROS)?,
            (at + SPAN_LASTS).format(MICROS)?,
            SPAN_LASTS.whole_milliseconds(),
        )?;
        if number % 3 == 2 {
            let name = TOOLS[random.below(TOOLS.len())];
            write!(json, r#""span_type":"tool_call","name":"{name}","#)?;
        } else {
            let model = MODELS[random.below(MODELS.len())];
            let (input, output) = ((bytes - answer) / 4 + 1, answer / 4 + 1);
            write!(
                json,
                r#""span_type":"llm_call","name":"chat.completions.create","model":"{model}","input_tokens":{input},"output_tokens":{output},"#
            )?;
        }
        json.extend_from_slice(br#""input":"#);
        let before = json.len();
        json.extend_from_slice(br#"{"messages":["#);
        for (place, (role, content)) in self.corpus.conversation(random, bytes - answer).into_iter().enumerate() {
            let comma = if place > 0 { "," } else { "" };
            write!(json, r#"{comma}{{"role":"{role}","content":"#)?;
            to_writer(&mut *json, content)?;
            json.push(b'}');
        }
        json.extend_from_slice(b"]}");
        let input = json.len() - before;
        json.extend_from_slice(br#","output":"#);
        let before = json.len();
        to_writer(&mut *json, &self.corpus.completion(random, answer))?;
        let output = json.len() - before;
        json.push(b'}');
        Ok((input + output) as u64)
    }
}

impl Encoding {
    pub fn encode(self, json: Vec<u8>) -> std::io::Result<Bytes> {
        Ok(match self {
            Encoding::Identity => json.into(),
            Encoding::Gzip => {
                let mut encoder = GzEncoder::new(Vec::with_capacity(json.len() / 3), Compression::new(6));
                encoder.write_all(&json)?;
                encoder.finish()?.into()
            }
            Encoding::Zstd => zstd::bulk::compress(&json, 3)?.into(),
        })
    }
}
