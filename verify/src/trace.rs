//! One trace, computed from its events: docs/SEMANTICS.md, "Traces" and "Derived values", sentence by sentence.

use std::collections::{BTreeMap, HashMap};

use schemas::events::{Cell, PayloadField, Phase, SpanContent, SpanFacts, SpanType, TraceContent, TraceRecorded};
use schemas::events::{FeedbackContent, RootCause, TraceStatus};
use schemas::sealing::Sealed;
use schemas::{Event, Money, codec};

use crate::prices::{Prices, Tokens};
use crate::view::{Cells, FeedbackView, SpanView, TraceState, TraceView};

/// A field with the phase that its value came from.
#[derive(Clone)]
struct Merged<T>(Option<(Phase, T)>);

impl<T> Default for Merged<T> {
    fn default() -> Self {
        Merged(None)
    }
}

impl<T: Clone> Merged<T> {
    fn set(&mut self, value: Option<T>, phase: Phase) {
        let held_by_the_end = matches!(self.0, Some((Phase::Ended, _)));
        if let Some(value) = value
            && (phase == Phase::Ended || !held_by_the_end)
        {
            self.0 = Some((phase, value));
        }
    }
    fn get(&self) -> Option<T> {
        self.0.as_ref().map(|(_, value)| value.clone())
    }
}

type MergedCells = BTreeMap<PayloadField, Merged<Cell>>;

fn set_cells(held: &mut MergedCells, cells: &[Cell], phase: Phase) {
    for cell in cells {
        held.entry(cell.field).or_default().set(Some(cell.clone()), phase);
    }
}

/// A trace while its events are applied.
#[derive(Default)]
pub(crate) struct Trace {
    deleted: bool,
    received_at: Option<i64>,
    status: Merged<TraceStatus>,
    started_at: Merged<i64>,
    ended_at: Merged<i64>,
    duration: Merged<i64>,
    tokens: Merged<i64>,
    cost: Merged<Money>,
    lossy: Merged<bool>,
    name: Merged<String>,
    session_id: Merged<String>,
    user_id: Merged<String>,
    project_id: Merged<String>,
    environment: Merged<String>,
    tags: Merged<Vec<String>>,
    cells: MergedCells,
    golden: bool,
    root_cause: Option<String>,
    warnings: Vec<String>,
    spans: BTreeMap<String, Span>,
    feedback: BTreeMap<String, FeedbackView>,
    chunks: HashMap<[u8; 32], BTreeMap<i32, Vec<u8>>>,
}

#[derive(Default)]
struct Span {
    parent_id: Merged<String>,
    span_type: Merged<SpanType>,
    name: Merged<String>,
    model: Merged<String>,
    started_at: Merged<i64>,
    ended_at: Merged<i64>,
    duration: Merged<i64>,
    input_tokens: Merged<i64>,
    output_tokens: Merged<i64>,
    cache_read_tokens: Merged<i64>,
    cache_write_tokens: Merged<i64>,
    reasoning_tokens: Merged<i64>,
    cost: Merged<Money>,
    failed: bool,
    agent_id: Merged<String>,
    parent_agent_id: Merged<String>,
    agent_role: Merged<String>,
    cells: MergedCells,
    price_table: String,
}

impl Trace {
    /// `time`: the envelope's, in microseconds; `open` gives the plain content, or none if its key is erased.
    pub(crate) fn apply(&mut self, event: &Event, time: i64, open: &dyn Fn(&Sealed) -> Option<Vec<u8>>) {
        if self.deleted {
            return;
        }
        let exists = self.received_at.is_some();
        match event {
            Event::TraceDeleted(_) => self.deleted = true,
            Event::TraceRecorded(recorded) => {
                let content = match &recorded.content {
                    None => Some(TraceContent::default()),
                    // What is erased still counts by its facts.
                    Some(sealed) => match open(sealed) {
                        None => Some(TraceContent::default()),
                        Some(plain) => codec::decode("trace_content", &plain).ok(),
                    },
                };
                if let Some(content) = content {
                    self.record(recorded, content, time);
                }
            }
            Event::TraceRepriced(repriced) => {
                for span in self.spans.values_mut() {
                    span.price_table = repriced.price_table.clone();
                }
            }
            Event::GoldenSet(set) if exists => self.golden = set.golden,
            Event::FeedbackGiven(given) if exists => {
                let plain = open(&given.content);
                let content = plain.and_then(|plain| codec::decode::<FeedbackContent>("feedback_content", &plain).ok());
                if let Some(FeedbackContent { user_id, note }) = content {
                    let created_at = self.feedback.get(&user_id).map_or(time, |earlier| earlier.created_at);
                    let verdict = FeedbackView { value: given.value, note, created_at, updated_at: time };
                    self.feedback.insert(user_id, verdict);
                }
            }
            Event::RootCauseFound(found) if exists => {
                let plain = open(&found.content);
                let said = plain.and_then(|plain| codec::decode("root_cause_content", &plain).ok());
                self.root_cause =
                    said.map(|said| RootCause::new(found, said, time).to_json()).or(self.root_cause.take());
            }
            Event::ContentChunk(chunk) => {
                if let Some(piece) = open(&chunk.content) {
                    self.chunks.entry(chunk.sha256.into_array()).or_default().insert(chunk.n, piece);
                }
            }
            _ => {}
        }
    }

    fn record(&mut self, facts: &TraceRecorded, content: TraceContent, time: i64) {
        let phase = facts.phase;
        self.received_at.get_or_insert(time);
        let final_status = matches!(self.status.get(), Some(TraceStatus::Completed | TraceStatus::Failed));
        if !(final_status && facts.status == Some(TraceStatus::Running)) {
            self.status.set(facts.status, phase);
        }
        self.started_at.set(facts.started_at, phase);
        self.ended_at.set(facts.ended_at, phase);
        self.duration.set(facts.total_duration_us, phase);
        self.tokens.set(facts.total_tokens, phase);
        self.cost.set(facts.total_cost, phase);
        self.lossy.set(facts.lossy, phase);
        self.name.set(content.name, phase);
        self.session_id.set(content.session_id, phase);
        self.user_id.set(content.user_id, phase);
        self.project_id.set(content.project_id, phase);
        self.environment.set(content.environment, phase);
        self.tags.set(content.tags, phase);
        set_cells(&mut self.cells, &content.cells, phase);
        for warning in content.warnings {
            if self.warnings.len() < 100 && !self.warnings.contains(&warning) {
                self.warnings.push(warning);
            }
        }
        let mut contents = content.spans.into_iter();
        for span in &facts.spans {
            let entry = self.spans.entry(span.span_id.clone()).or_default();
            entry.record(span, contents.next().unwrap_or_default());
            entry.price_table = facts.price_table.clone();
        }
    }

    pub(crate) fn state(&self, id: &str, prices: &Prices) -> TraceState {
        match self.received_at {
            _ if self.deleted => TraceState::Deleted,
            None => TraceState::Absent,
            Some(received_at) => TraceState::Visible(Box::new(self.view(id, received_at, prices))),
        }
    }

    fn view(&self, id: &str, received_at: i64, prices: &Prices) -> TraceView {
        let mut spans: Vec<SpanView> = self.spans.iter().map(|(id, span)| self.span_view(id, span, prices)).collect();
        spans.sort_by(|a, b| {
            (a.started_at.is_none(), a.started_at, &a.id).cmp(&(b.started_at.is_none(), b.started_at, &b.id))
        });
        let own_started_at = self.started_at.get();
        let earliest = spans.iter().filter_map(|span| span.started_at).min();
        let started_at = own_started_at.or(earliest).unwrap_or(received_at);
        let ended_at = self.ended_at.get();
        let mut models: Vec<String> = spans.iter().filter_map(|span| span.model.clone()).collect();
        models.retain(|model| !model.is_empty());
        models.sort();
        models.dedup();
        let counts = |span: &SpanView| [span.input_tokens, span.output_tokens].into_iter().flatten().map(i128::from);
        let token_spans = spans.iter().filter(|span| counts(span).count() > 0).count() as u64;
        let span_tokens = spans.iter().flat_map(counts).sum();
        let cost_spans = spans.iter().filter(|span| span.cost.is_some()).count() as u64;
        let span_cost = spans.iter().filter_map(|span| span.cost).sum();
        let (merged_tokens, merged_cost) = (self.tokens.get(), self.cost.get());
        TraceView {
            id: id.to_owned(),
            received_at,
            own_started_at,
            started_at,
            ended_at,
            status: self.status.get().unwrap_or(TraceStatus::Running),
            name: self.name.get(),
            session_id: self.session_id.get(),
            user_id: self.user_id.get(),
            project_id: self.project_id.get(),
            environment: self.environment.get(),
            tags: self.tags.get().unwrap_or_default(),
            lossy: self.lossy.get().unwrap_or(false),
            golden: self.golden,
            warnings: self.warnings.clone(),
            models,
            cells: self.values(&self.cells),
            root_cause: self.root_cause.clone(),
            merged_duration_us: self.duration.get(),
            merged_tokens,
            merged_cost,
            token_spans,
            cost_spans,
            span_tokens,
            span_cost,
            total_tokens: if token_spans > 0 { span_tokens } else { merged_tokens.unwrap_or(0).into() },
            total_cost: if cost_spans > 0 { span_cost } else { merged_cost.unwrap_or_default() },
            total_duration_us: self.duration.get().or(ended_at.map(|end| end.saturating_sub(started_at))),
            reported_total_tokens: merged_tokens.filter(|_| token_spans > 0),
            reported_total_cost: merged_cost.filter(|_| cost_spans > 0),
            own_error: error(&self.cells),
            spans,
            feedback: self.feedback.clone(),
        }
    }

    fn span_view(&self, id: &str, span: &Span, prices: &Prices) -> SpanView {
        let (started_at, ended_at, merged_duration_us) =
            (span.started_at.get(), span.ended_at.get(), span.duration.get());
        let passed = started_at.zip(ended_at).map(|(start, end)| end.saturating_sub(start));
        let (input, output, merged_cost) = (span.input_tokens.get(), span.output_tokens.get(), span.cost.get());
        let (cache_read, cache_write) = (span.cache_read_tokens.get(), span.cache_write_tokens.get());
        let computed = || {
            input.or(output)?;
            let tokens = Tokens {
                input: input.unwrap_or(0),
                cache_read: cache_read.unwrap_or(0),
                cache_write: cache_write.unwrap_or(0),
                output: output.unwrap_or(0),
            };
            prices.cost(&span.price_table, &span.model.get()?, started_at?, tokens)
        };
        let cost = merged_cost.or_else(computed);
        SpanView {
            id: id.to_owned(),
            parent_id: span.parent_id.get(),
            span_type: span.span_type.get(),
            name: span.name.get(),
            model: span.model.get(),
            started_at,
            ended_at,
            merged_duration_us,
            duration_us: merged_duration_us.or(passed),
            input_tokens: input,
            output_tokens: output,
            cache_read_tokens: cache_read,
            cache_write_tokens: cache_write,
            reasoning_tokens: span.reasoning_tokens.get(),
            merged_cost,
            cost,
            cost_source: cost.map(|_| if merged_cost.is_some() { "reported" } else { "computed" }),
            price_table: span.price_table.clone(),
            agent_id: span.agent_id.get(),
            parent_agent_id: span.parent_agent_id.get(),
            agent_role: span.agent_role.get(),
            error: error(&span.cells),
            failed: span.failed,
            cells: self.values(&span.cells),
            in_chunks: in_chunks(&span.cells),
        }
    }

    fn values(&self, cells: &MergedCells) -> Cells {
        let merged = cells.iter().filter_map(|(field, cell)| Some((*field, cell.get()?)));
        merged.filter_map(|(field, cell)| Some((field, self.value(cell)?))).collect()
    }

    /// A large value is its chunks; while one is missing there is no value.
    fn value(&self, cell: Cell) -> Option<String> {
        if cell.chunks == 0 {
            return Some(cell.value);
        }
        let pieces = self.chunks.get(&cell.sha256?.into_array())?;
        if usize::try_from(cell.chunks) != Ok(pieces.len()) {
            return None;
        }
        String::from_utf8(pieces.values().flatten().copied().collect()).ok()
    }
}

/// The text that a failure is grouped by; a text in chunks stands as one that is not told apart from others.
fn error(cells: &MergedCells) -> String {
    let Some(cell) = cells.get(&PayloadField::Error).and_then(Merged::get) else { return String::new() };
    if cell.chunks > 0 { "<str>".to_owned() } else { cell.value }
}

fn in_chunks(cells: &MergedCells) -> Vec<PayloadField> {
    let is_large = |cell: &Merged<Cell>| cell.get().is_some_and(|cell| cell.chunks > 0);
    cells.iter().filter(|(_, cell)| is_large(cell)).map(|(field, _)| *field).collect()
}

impl Span {
    fn record(&mut self, facts: &SpanFacts, content: SpanContent) {
        let phase = facts.phase;
        self.parent_id.set(content.parent_id, phase);
        self.span_type.set(facts.span_type, phase);
        self.name.set(content.name, phase);
        self.model.set(facts.model.clone(), phase);
        self.started_at.set(facts.started_at, phase);
        self.ended_at.set(facts.ended_at, phase);
        self.duration.set(facts.duration_us, phase);
        self.input_tokens.set(facts.input_tokens, phase);
        self.output_tokens.set(facts.output_tokens, phase);
        self.cache_read_tokens.set(facts.cache_read_tokens, phase);
        self.cache_write_tokens.set(facts.cache_write_tokens, phase);
        self.reasoning_tokens.set(facts.reasoning_tokens, phase);
        self.failed |= facts.failed;
        self.cost.set(facts.cost, phase);
        self.agent_id.set(content.agent_id, phase);
        self.parent_agent_id.set(content.parent_agent_id, phase);
        self.agent_role.set(content.agent_role, phase);
        set_cells(&mut self.cells, &content.cells, phase);
    }
}
