//! The state of one trace in memory: its row, its spans, its feedback, and sums over the spans that are kept up while
//! spans change.

use std::collections::{BTreeMap, HashMap};

use insights::histogram;
use schemas::events::TraceStatus;

use super::calls::{self, Call, Calls};
use super::prompt_uses::PromptUses;
use super::rows::{CountRow, FeedbackRow, ListRow, SpanRow, TraceModelRow, TraceRow};

#[derive(Clone, Debug, Default)]
pub struct TraceEntry {
    /// `None`: nothing is known of this trace.
    pub row: Option<TraceRow>,
    pub spans: HashMap<String, SpanRow>,
    pub feedback: HashMap<String, FeedbackRow>,
    pub sums: Sums,
}

/// Over the spans that are not deleted. Everything here can be subtracted again.
#[derive(Clone, Debug, Default)]
pub struct Sums {
    pub spans: u64,
    pub failed: u64,
    pub token_spans: u64,
    pub cost_spans: u64,
    pub tokens: i64,
    pub cost: i128,
    /// By model; `""` has what belongs to none.
    pub models: BTreeMap<String, ModelSums>,
    pub prompts: PromptUses,
    pub starts: BTreeMap<i64, u32>,
    /// Signatures of the spans' errors, in the order of (start is unknown, start, id).
    pub errors: BTreeMap<(bool, i64, String), String>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelSums {
    /// Spans that name the model; without one, those that cost or carry tokens.
    pub calls: i64,
    pub unpriced_calls: i64,
    pub input_tokens: i64,
    pub output_tokens: i64,
    pub cache_read_tokens: i64,
    pub cache_write_tokens: i64,
    pub reasoning_tokens: i64,
    pub timed_calls: i64,
    pub duration_us: i64,
    pub cost: i128,
    /// Of spans that name the model.
    pub each: Calls,
}

impl ModelSums {
    fn add(&mut self, span: &SpanRow, sign: i64) {
        let tokens = span.input_tokens.is_some() || span.output_tokens.is_some();
        self.calls += sign;
        self.unpriced_calls += sign * i64::from(tokens && span.cost.is_none());
        self.input_tokens += sign * span.input_tokens.unwrap_or(0);
        self.output_tokens += sign * span.output_tokens.unwrap_or(0);
        self.cache_read_tokens += sign * span.cache_read_tokens.unwrap_or(0);
        self.cache_write_tokens += sign * span.cache_write_tokens.unwrap_or(0);
        self.reasoning_tokens += sign * span.reasoning_tokens.unwrap_or(0);
        let duration = span.duration_us.or_else(|| Some(span.ended_at? - span.started_at?));
        self.timed_calls += sign * i64::from(duration.is_some());
        self.duration_us += sign * duration.unwrap_or(0);
        self.cost += i128::from(sign) * span.cost.unwrap_or(0);
        if span.model.as_ref().is_none_or(String::is_empty) {
            return;
        }
        if sign > 0 {
            self.each.insert(calls::place(span), Call::of(span));
        } else {
            self.each.remove(&calls::place(span));
        }
    }
}

impl Sums {
    pub fn add(&mut self, span: &SpanRow) {
        self.apply(span, true);
    }

    pub fn subtract(&mut self, span: &SpanRow) {
        self.apply(span, false);
    }

    fn apply(&mut self, span: &SpanRow, add: bool) {
        if span.is_deleted == 1 {
            return;
        }
        let count = |slot: &mut u64, yes: bool| {
            if yes {
                *slot = if add { *slot + 1 } else { slot.saturating_sub(1) };
            }
        };
        let sign = if add { 1 } else { -1 };
        count(&mut self.spans, true);
        count(&mut self.failed, span.failed == 1);
        count(&mut self.token_spans, span.input_tokens.is_some() || span.output_tokens.is_some());
        count(&mut self.cost_spans, span.cost.is_some());
        self.tokens += sign * (span.input_tokens.unwrap_or(0) + span.output_tokens.unwrap_or(0));
        self.cost += i128::from(sign) * span.cost.unwrap_or(0);
        let counts = span.input_tokens.is_some() || span.output_tokens.is_some() || span.cost.is_some();
        let model = span.model.as_deref().unwrap_or_default();
        if !model.is_empty() || counts {
            let sums = self.models.entry(model.to_owned()).or_default();
            sums.add(span, sign);
            if sums.calls == 0 {
                self.models.remove(model);
            }
        }
        self.prompts.add(span, sign);
        tally(&mut self.starts, span.started_at, add);
        if !span.error_signature.is_empty() {
            let place = (span.started_at.is_none(), span.started_at.unwrap_or(0), span.span_id.clone());
            if add {
                self.errors.insert(place, span.error_signature.clone());
            } else {
                self.errors.remove(&place);
            }
        }
    }
}

fn tally<K: Ord>(counts: &mut BTreeMap<K, u32>, key: Option<K>, add: bool) {
    let Some(key) = key else { return };
    if add {
        *counts.entry(key).or_insert(0) += 1;
    } else if let Some(count) = counts.get_mut(&key) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            counts.remove(&key);
        }
    }
}

impl TraceEntry {
    /// From what the store has.
    pub fn loaded(row: Option<TraceRow>, spans: Vec<SpanRow>, feedback: Vec<FeedbackRow>) -> TraceEntry {
        let mut sums = Sums::default();
        for span in &spans {
            sums.add(span);
        }
        TraceEntry {
            row,
            spans: spans.into_iter().map(|span| (span.span_id.clone(), span)).collect(),
            feedback: feedback.into_iter().map(|verdict| (verdict.user_id.clone(), verdict)).collect(),
            sums,
        }
    }

    pub fn version(&self) -> Option<u64> {
        self.row.as_ref().map(|row| row.version)
    }

    pub fn is_deleted(&self) -> bool {
        self.row.as_ref().is_some_and(|row| row.is_deleted == 1)
    }

    /// How much of the cache this entry is.
    pub fn weight(&self) -> usize {
        1 + self.spans.len() + self.feedback.len()
    }
}

/// Stands for a value that is not there.
const NO_BUCKET: u16 = u16::MAX;

/// What is below zero, as a duration by clocks that disagree, counts as zero.
fn bucket(value: Option<i128>) -> u16 {
    value.map_or(NO_BUCKET, |value| histogram::bucket(value.try_into().unwrap_or(0)))
}

impl TraceRow {
    /// The row after its fields or its spans changed.
    pub fn derive(&mut self, sums: &Sums) {
        self.started_at =
            self.own_started_at.or_else(|| sums.starts.keys().next().copied()).unwrap_or(self.received_at);
        self.span_count = sums.spans;
        self.failed_spans = sums.failed;
        self.token_spans = sums.token_spans;
        self.cost_spans = sums.cost_spans;
        self.tokens = sums.tokens;
        self.cost = sums.cost;
        self.models = sums.models.keys().filter(|model| !model.is_empty()).cloned().collect();
        let of_spans = || sums.errors.values().next().cloned().unwrap_or_default();
        self.failure = if self.error_signature.is_empty() { of_spans() } else { self.error_signature.clone() };
    }

    pub fn total_tokens(&self) -> i64 {
        if self.token_spans > 0 { self.tokens } else { self.reported_tokens.unwrap_or(0) }
    }

    pub fn total_cost(&self) -> i128 {
        if self.cost_spans > 0 { self.cost } else { self.reported_cost.unwrap_or(0) }
    }

    pub fn total_duration_us(&self) -> Option<i64> {
        self.reported_duration_us.or_else(|| self.ended_at.map(|ended| ended - self.started_at))
    }

    pub fn list_row(&self) -> ListRow {
        ListRow {
            tenant: self.tenant.clone(),
            started_at: self.started_at,
            trace_id: self.trace_id.clone(),
            version: self.version,
            is_deleted: self.is_deleted,
            status: self.status.clone(),
            name: self.name.clone(),
            session_id: self.session_id.clone(),
            user_id: self.user_id.clone(),
            project_id: self.project_id.clone(),
            environment: self.environment.clone(),
            tags: self.tags.clone(),
            models: self.models.clone(),
            total_tokens: self.total_tokens(),
            total_cost: self.total_cost(),
            total_duration_us: self.total_duration_us().unwrap_or(0),
            tokens_bucket: bucket(Some(self.total_tokens().into())),
            cost_bucket: bucket(Some(self.total_cost())),
            duration_bucket: bucket(self.total_duration_us().map(i128::from)),
            failure: if self.status == TraceStatus::Failed.as_str() { self.failure.clone() } else { String::new() },
        }
    }

    /// The trace by models: rows that add up to its totals.
    pub fn model_rows(&self, sums: &Sums) -> Vec<TraceModelRow> {
        // What only the trace reports.
        let tokens = if sums.token_spans > 0 { 0 } else { self.reported_tokens.unwrap_or(0) };
        let cost = if sums.cost_spans > 0 { 0 } else { self.reported_cost.unwrap_or(0) };
        let mut rows: Vec<TraceModelRow> =
            sums.models.iter().map(|(model, sums)| self.model_row(model, sums)).collect();
        if tokens != 0 || cost != 0 || rows.is_empty() {
            if rows.first().is_none_or(|row| !row.model.is_empty()) {
                rows.insert(0, self.model_row("", &ModelSums::default()));
            }
            rows[0].tokens += tokens;
            rows[0].cost += cost;
        }
        rows[0].traces = 1;
        rows
    }

    fn model_row(&self, model: &str, sums: &ModelSums) -> TraceModelRow {
        let mut row = TraceModelRow {
            tenant: self.tenant.clone(),
            started_at: self.started_at,
            trace_id: self.trace_id.clone(),
            version: self.version,
            is_deleted: 0,
            name: self.name.clone(),
            session_id: self.session_id.clone(),
            user_id: self.user_id.clone(),
            project_id: self.project_id.clone(),
            environment: self.environment.clone(),
            tags: self.tags.clone(),
            calls: sums.calls,
            unpriced_calls: sums.unpriced_calls,
            input_tokens: sums.input_tokens,
            output_tokens: sums.output_tokens,
            cache_read_tokens: sums.cache_read_tokens,
            cache_write_tokens: sums.cache_write_tokens,
            reasoning_tokens: sums.reasoning_tokens,
            tokens: sums.input_tokens + sums.output_tokens,
            timed_calls: sums.timed_calls,
            duration_us: sums.duration_us,
            cost: sums.cost,
            model: model.to_owned(),
            ..TraceModelRow::default()
        };
        calls::list(&sums.each, &mut row);
        row
    }

    /// What this trace adds to the counts, and to which bucket.
    pub fn count_row(&self) -> CountRow {
        CountRow {
            tenant: self.tenant.clone(),
            day: self.started_at.div_euclid(86_400_000_000) as u16,
            project_id: self.project_id.clone().unwrap_or_default(),
            environment: self.environment.clone().unwrap_or_default(),
            status: self.status.clone(),
            partition: self.partition,
            version: 0,
            traces: 1,
            spans: self.span_count as i64,
            tokens: self.total_tokens(),
            cost: self.total_cost(),
        }
    }
}
