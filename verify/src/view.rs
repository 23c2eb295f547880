//! What the log means at one moment, as plain values.

use std::collections::BTreeMap;

use schemas::Money;
use schemas::events::{PayloadField, SpanType, TraceStatus};

/// A prompt's hash, its length, and the hashes and lengths of its beginnings.
pub type Prompt = (u64, u32, Vec<(u64, u32)>);

/// What is made of texts: tables of rules, not of the fold, and so given to it.
#[derive(Clone, Copy)]
pub struct Texts {
    /// The signature of an error.
    pub signature: fn(&str) -> String,
    /// Of an input.
    pub prompt: fn(&str) -> Prompt,
    /// The hash of the parameters in metadata.
    pub parameters: fn(&str) -> u64,
    /// The hash of a call, of those of its prompt and its parameters.
    pub call: fn(u64, u64) -> u64,
    /// The prompt and its version that metadata name.
    pub prompt_use: fn(&str) -> Option<(u64, i64)>,
}

/// The payload values of a trace or a span, as text.
pub type Cells = BTreeMap<PayloadField, String>;

#[derive(Clone, Debug, PartialEq)]
pub enum TraceState {
    Absent,
    Deleted,
    Visible(Box<TraceView>),
}

impl TraceState {
    pub fn visible(&self) -> Option<&TraceView> {
        match self {
            TraceState::Visible(view) => Some(view),
            _ => None,
        }
    }
}

/// A visible trace. Times and durations are in microseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceView {
    pub id: String,
    pub received_at: i64,
    pub own_started_at: Option<i64>,
    pub started_at: i64,
    pub ended_at: Option<i64>,
    pub status: TraceStatus,
    pub name: Option<String>,
    pub session_id: Option<String>,
    pub user_id: Option<String>,
    pub project_id: Option<String>,
    pub environment: Option<String>,
    pub tags: Vec<String>,
    pub lossy: bool,
    pub golden: bool,
    pub warnings: Vec<String>,
    pub models: Vec<String>,
    pub cells: Cells,
    /// What a model said last of its failure, in JSON.
    pub root_cause: Option<String>,
    pub merged_duration_us: Option<i64>,
    pub merged_tokens: Option<i64>,
    pub merged_cost: Option<Money>,
    /// How many spans carry a token count, and a cost.
    pub token_spans: u64,
    pub cost_spans: u64,
    pub span_tokens: i128,
    pub span_cost: Money,
    pub total_tokens: i128,
    pub total_cost: Money,
    pub total_duration_us: Option<i64>,
    pub reported_total_tokens: Option<i64>,
    pub reported_total_cost: Option<Money>,
    /// The text of its error, as its spans have theirs; empty without.
    pub own_error: String,
    /// By `started_at` (unknown ones last), then by id.
    pub spans: Vec<SpanView>,
    pub feedback: BTreeMap<String, FeedbackView>,
}

/// What a model was used for in a trace.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelUse {
    pub calls: i128,
    /// With tokens, and no cost.
    pub unpriced_calls: i128,
    pub input_tokens: i128,
    pub output_tokens: i128,
    pub cache_read_tokens: i128,
    pub cache_write_tokens: i128,
    pub reasoning_tokens: i128,
    pub tokens: i128,
    pub timed_calls: i128,
    pub duration_us: i128,
    pub cost: Money,
}

/// What the spans of a trace used one version of a prompt for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PromptUsed {
    pub calls: i128,
    pub failed: i128,
    pub tokens: i128,
    pub cost: Money,
}

impl PromptUsed {
    pub fn totals(&self) -> Vec<i128> {
        vec![self.calls, self.failed, self.tokens, self.cost.0]
    }
}

/// One call of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct CallView {
    pub started_at: i64,
    pub failed: bool,
    pub input_tokens: i64,
    pub output_tokens: i64,
    pub cache_read_tokens: i64,
    pub cost: Money,
    pub hash: u64,
    /// Hashes of the prompt's beginnings, and their tokens.
    pub heads: Vec<(u64, u32)>,
}

/// Where a value is in the histograms: bucket 0 has what is not above 0; each next bound is 1 % above the last, rounded
/// down, and at least 1 more.
pub(crate) fn bucket(value: Option<i128>) -> u16 {
    let Some(value) = value else { return u16::MAX };
    let (mut bucket, mut bound) = (0, 1);
    while bound <= value && bound < i128::from(u64::MAX) {
        bucket += 1;
        bound = (bound + 1).max(bound * 101 / 100);
    }
    bucket
}

impl TraceView {
    /// The signature of its error, else of its first span with one; empty without.
    pub fn failure(&self, signature: fn(&str) -> String) -> String {
        let errors = std::iter::once(&self.own_error).chain(self.spans.iter().map(|span| &span.error));
        errors.map(|error| signature(error)).find(|signature| !signature.is_empty()).unwrap_or_default()
    }

    /// The trace's totals by model: what no span's model accounts for is under the empty name, and so is a trace that
    /// used nothing.
    pub fn by_model(&self) -> BTreeMap<String, ModelUse> {
        let mut models: BTreeMap<String, ModelUse> = BTreeMap::new();
        for span in &self.spans {
            let model = span.model.clone().unwrap_or_default();
            if model.is_empty() && span.input_tokens.is_none() && span.output_tokens.is_none() && span.cost.is_none() {
                continue;
            }
            let (input, output) = (span.input_tokens.unwrap_or(0), span.output_tokens.unwrap_or(0));
            let used = models.entry(model).or_default();
            used.calls += 1;
            let tokens = span.input_tokens.or(span.output_tokens);
            used.unpriced_calls += i128::from(tokens.is_some() && span.cost.is_none());
            used.input_tokens += i128::from(input);
            used.output_tokens += i128::from(output);
            used.tokens += i128::from(input) + i128::from(output);
            used.cache_read_tokens += i128::from(span.cache_read_tokens.unwrap_or(0));
            used.cache_write_tokens += i128::from(span.cache_write_tokens.unwrap_or(0));
            used.reasoning_tokens += i128::from(span.reasoning_tokens.unwrap_or(0));
            used.timed_calls += i128::from(span.duration_us.is_some());
            used.duration_us += i128::from(span.duration_us.unwrap_or(0));
            used.cost = Money(used.cost.0 + span.cost.unwrap_or_default().0);
        }
        let tokens = self.total_tokens - models.values().map(|used| used.tokens).sum::<i128>();
        let cost = self.total_cost.0 - models.values().map(|used| used.cost.0).sum::<i128>();
        if models.is_empty() || tokens != 0 || cost != 0 {
            let rest = models.entry(String::new()).or_default();
            rest.tokens += tokens;
            rest.cost = Money(rest.cost.0 + cost);
        }
        models
    }

    /// By prompt and version, as the spans' metadata name them.
    pub fn prompt_uses(&self, texts: Texts) -> BTreeMap<(u64, i64), PromptUsed> {
        let mut uses: BTreeMap<(u64, i64), PromptUsed> = BTreeMap::new();
        for span in &self.spans {
            let named = span.prompt_use(texts);
            if named == (0, 0) {
                continue;
            }
            let used = uses.entry(named).or_default();
            used.calls += 1;
            used.failed += i128::from(span.failed);
            used.tokens += i128::from(span.input_tokens.unwrap_or(0)) + i128::from(span.output_tokens.unwrap_or(0));
            used.cost = Money(used.cost.0 + span.cost.unwrap_or_default().0);
        }
        uses
    }

    /// The first 1,000 calls of a model, in the order of the spans.
    pub fn calls(&self, model: &str, texts: Texts) -> Vec<CallView> {
        let of_model = |span: &&SpanView| !model.is_empty() && span.model.as_deref() == Some(model);
        self.spans.iter().filter(of_model).take(1_000).map(|span| span.call(self.started_at, texts)).collect()
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct SpanView {
    pub id: String,
    pub parent_id: Option<String>,
    pub span_type: Option<SpanType>,
    pub name: Option<String>,
    pub model: Option<String>,
    pub started_at: Option<i64>,
    pub ended_at: Option<i64>,
    pub merged_duration_us: Option<i64>,
    pub duration_us: Option<i64>,
    pub input_tokens: Option<i64>,
    pub output_tokens: Option<i64>,
    pub cache_read_tokens: Option<i64>,
    pub cache_write_tokens: Option<i64>,
    pub reasoning_tokens: Option<i64>,
    pub merged_cost: Option<Money>,
    pub cost: Option<Money>,
    /// `reported`, `computed`, or none where there is no cost.
    pub cost_source: Option<&'static str>,
    /// The price tables that the last event about the span names.
    pub price_table: String,
    pub agent_id: Option<String>,
    pub parent_agent_id: Option<String>,
    pub agent_role: Option<String>,
    pub error: String,
    /// An event said that it failed.
    pub failed: bool,
    pub cells: Cells,
    /// Which of them came in chunks.
    pub in_chunks: Vec<PayloadField>,
}

impl SpanView {
    /// Its prompt as it is hashed; a text in chunks stands as one that is not known.
    pub fn prompt(&self, texts: Texts) -> Prompt {
        self.in_one(PayloadField::Input).map(texts.prompt).unwrap_or_default()
    }

    pub fn parameters(&self, texts: Texts) -> u64 {
        self.in_one(PayloadField::Metadata).map(texts.parameters).unwrap_or_default()
    }

    /// Zeros where it names none.
    pub fn prompt_use(&self, texts: Texts) -> (u64, i64) {
        self.in_one(PayloadField::Metadata).and_then(texts.prompt_use).unwrap_or_default()
    }

    fn in_one(&self, field: PayloadField) -> Option<&str> {
        self.cells.get(&field).filter(|_| !self.in_chunks.contains(&field)).map(String::as_str)
    }

    fn call(&self, trace_started_at: i64, texts: Texts) -> CallView {
        let (hash, whole, heads) = self.prompt(texts);
        let input_tokens = self.input_tokens.unwrap_or(0);
        let tokens = |length: u32| i128::from(input_tokens) * i128::from(length) / i128::from(whole);
        CallView {
            started_at: self.started_at.unwrap_or(trace_started_at),
            failed: self.failed,
            input_tokens,
            output_tokens: self.output_tokens.unwrap_or(0),
            cache_read_tokens: self.cache_read_tokens.unwrap_or(0),
            cost: self.cost.unwrap_or_default(),
            hash: (texts.call)(hash, self.parameters(texts)),
            heads: heads.iter().map(|(hash, length)| (*hash, tokens(*length).try_into().unwrap_or(u32::MAX))).collect(),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct FeedbackView {
    pub value: i32,
    pub note: Option<String>,
    pub created_at: i64,
    pub updated_at: i64,
}
