//! Planted waste: features that could do the same for less, and by how much.

use serde_json::{Value, json};

use crate::clock::MINUTE;
use crate::random::{Random, mix};
use crate::texts::fill;
use crate::trace::{Span, Trace};

/// A kind of waste; each has a feature of its own, whose traces have no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waste {
    /// A dear model that only says one word.
    ModelDowngrade,
    /// The same long instructions, call after call, within minutes.
    PromptCaching,
    /// Calls that fail after they were paid, and are made again.
    RetryWaste,
    /// More input than the model has at its usual price.
    LongContext,
    /// The same questions all over again.
    DuplicateCalls,
}

const INSTRUCTIONS: &str = "Answer from the policies below, and name the paragraph that you rely on. ";
const LONG: usize = 110;
/// Calls of one burst, and between two.
const BURST: u64 = 8;
const DIFFERENT_QUESTIONS: usize = 12;
const BYTES_A_TOKEN: usize = 4;

impl Waste {
    pub const ALL: [Waste; 5] =
        [Waste::ModelDowngrade, Waste::PromptCaching, Waste::RetryWaste, Waste::LongContext, Waste::DuplicateCalls];

    /// As it is reported.
    pub fn kind(self) -> &'static str {
        match self {
            Waste::ModelDowngrade => "model_downgrade",
            Waste::PromptCaching => "prompt_caching",
            Waste::RetryWaste => "retry_waste",
            Waste::LongContext => "long_context",
            Waste::DuplicateCalls => "duplicate_calls",
        }
    }

    /// The name of its traces.
    pub fn feature(self) -> &'static str {
        match self {
            Waste::ModelDowngrade => "mood-labeller",
            Waste::PromptCaching => "policy-answers",
            Waste::RetryWaste => "form-filler",
            Waste::LongContext => "archive-reader",
            Waste::DuplicateCalls => "greeting-writer",
        }
    }

    pub fn model(self) -> &'static str {
        match self {
            Waste::ModelDowngrade => "claude-opus-4-5",
            Waste::PromptCaching | Waste::RetryWaste => "claude-sonnet-4-5",
            Waste::LongContext => "gemini-2.5-pro",
            Waste::DuplicateCalls => "gpt-4.1",
        }
    }

    /// A trace that starts in the time from `from`, by its index.
    pub fn trace(self, seed: u64, index: u64, from: i64, tag: &str) -> Trace {
        let mut random = Random::new(mix(seed, 1_000 + self as u64), index);
        let id = random.uuid().to_string();
        // Bursts of a few minutes with an hour between them.
        let started_at = from + (index / BURST) as i64 * 60 * MINUTE + (index % BURST) as i64 * MINUTE / 2;
        let call =
            |random: &mut Random, failed: bool, after: i64| self.call(random, &id, index, started_at + after, failed);
        let spans = match self {
            Waste::RetryWaste => {
                let mut again = Random::new(mix(seed, 2_000), index);
                let first = call(&mut random, true, 0);
                let mut second = call(&mut again, false, MINUTE / 4);
                second.input = first.input.clone();
                vec![first, second]
            }
            _ => vec![call(&mut random, false, 0)],
        };
        let ended_at = spans.last().and_then(|span| span.ended_at).unwrap_or(started_at);
        let tokens = |span: &Span| span.input_tokens.unwrap_or(0) + span.output_tokens.unwrap_or(0);
        Trace {
            name: self.feature().to_owned(),
            status: "completed",
            started_at,
            ended_at: Some(ended_at),
            total_duration_ms: (ended_at - started_at) as f64 / 1e3,
            total_tokens: spans.iter().map(tokens).sum(),
            project_id: "back-office".to_owned(),
            session_id: format!("batch-{}", index / BURST),
            user_id: "scheduler".to_owned(),
            tags: vec![tag.to_owned()],
            input: Value::Null,
            output: json!("done"),
            error: None,
            metadata: json!({"environment": "production"}),
            span_count: spans.len(),
            spans,
            feedback: None,
            golden: false,
            id,
        }
    }

    fn call(self, random: &mut Random, trace_id: &str, index: u64, at: i64, failed: bool) -> Span {
        let instructions = match self {
            Waste::PromptCaching => INSTRUCTIONS.repeat(LONG),
            _ => INSTRUCTIONS.to_owned(),
        };
        let question = match self {
            Waste::DuplicateCalls => format!("Write a greeting, number {}.", index as usize % DIFFERENT_QUESTIONS),
            _ => fill("What about <order>, <topic>, as of <date>? <hex>", random),
        };
        let messages = [message("system", &instructions), message("user", &question)];
        let bytes: usize = messages.iter().map(|message| message.to_string().len() + 1).sum();
        let (input_tokens, output_tokens) = match self {
            Waste::ModelDowngrade => (4_000 + random.below(1_000), 1 + random.below(8)),
            Waste::PromptCaching => (bytes / BYTES_A_TOKEN, 150 + random.below(100)),
            Waste::LongContext => (205_000 + random.below(60_000), 300 + random.below(300)),
            Waste::RetryWaste => (6_000 + random.below(2_000), 400),
            Waste::DuplicateCalls => (3_000, 400),
        };
        let ms = 400 + random.below(600) as i64;
        Span {
            id: random.uuid().to_string(),
            trace_id: trace_id.to_owned(),
            parent_id: None,
            span_type: "llm_call",
            name: "answer".to_owned(),
            started_at: at,
            ended_at: Some(at + ms * 1_000),
            duration_ms: Some(ms as f64),
            model: Some(self.model()),
            input: json!({"messages": messages}),
            output: if failed { Value::Null } else { json!("done") },
            error: failed.then(|| "the answer is not the JSON that was asked for".to_owned()),
            input_tokens: Some(input_tokens as u64),
            output_tokens: Some(output_tokens as u64),
            metadata: json!({"temperature": 0}),
            agent_id: None,
            parent_agent_id: None,
            agent_role: None,
        }
    }

    /// Of the prompt-caching feature: the tokens of its instructions.
    pub fn instructions_tokens() -> f64 {
        let bytes = message("system", &INSTRUCTIONS.repeat(LONG)).to_string().len() + 1;
        bytes as f64 / BYTES_A_TOKEN as f64
    }

    /// The different calls among so many traces with duplicates.
    pub fn different(traces: u64) -> u64 {
        traces.min(DIFFERENT_QUESTIONS as u64)
    }

    /// Of so many traces of a burst each first one finds nothing that another has left behind.
    pub fn bursts(traces: u64) -> u64 {
        traces.div_ceil(BURST)
    }
}

fn message(role: &str, content: &str) -> Value {
    json!({"role": role, "content": content})
}
