//! The rows of one slice of the traces against the fold.
//!
//! A row is the whole fold of its key up to its own version; what the projection has not read yet cannot be in it, and
//! what lies before its checkpoint must be. So a row is compared with the fold up to the later of the two.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Debug;
use std::sync::Arc;

use clickhouse::Client;
use schemas::Money;
use schemas::events::{PayloadField, RootCause, TraceStatus};
use schemas::topics;

use crate::fold::Fold;
use crate::log::Ends;
use crate::rows::{
    CellRow, ChunkRow, FeedbackRow, Keyed, ListRow, OfTrace, SpanRow, TraceModelRow, TraceRow, newest, offset_of,
};
use crate::verify::Report;
use crate::view::{Texts, TraceState, TraceView, bucket};

pub struct Slice<'a> {
    pub fold: &'a Fold,
    /// How far the projection is, read before the rows were.
    pub next: &'a Ends,
    /// How far the fold is; taken after `next`.
    pub ends: &'a Ends,
    texts: Texts,
    pub report: &'a mut Report,
    /// Rows of one trace follow each other: its fold is kept.
    last: Option<((String, String, i64), Arc<TraceState>)>,
    /// Traces with rows that are newer than the fold.
    newer: HashSet<(String, String)>,
    seen: HashSet<(&'static str, String)>,
    /// How many undeleted rows a trace has in the list, and by model.
    listed: HashMap<(String, String), u64>,
    models: HashMap<(String, String), u64>,
}

macro_rules! same {
    ($slice:ident, $table:expr, $key:expr, $($field:literal: $expected:expr, $found:expr;)+) => {
        $($slice.report.field($table, $key, $field, &$expected, &$found);)+
    };
}

impl<'a> Slice<'a> {
    pub fn new(fold: &'a Fold, next: &'a Ends, ends: &'a Ends, texts: Texts, report: &'a mut Report) -> Slice<'a> {
        let (newer, seen) = (HashSet::new(), HashSet::new());
        let (listed, models) = (HashMap::new(), HashMap::new());
        Slice { fold, next, ends, texts, report, last: None, newer, seen, listed, models }
    }

    pub async fn compare(mut self, client: &Client, generation: &str) -> anyhow::Result<()> {
        // Traces come last: while the projection goes on, their rows say which traces the other tables were ahead of.
        newest(client, generation, |row: ListRow| self.list_row(&row)).await?;
        newest(client, generation, |row: TraceModelRow| self.model_row(&row)).await?;
        newest(client, generation, |row: SpanRow| self.span_row(&row)).await?;
        newest(client, generation, |row: FeedbackRow| self.feedback_row(&row)).await?;
        let mut large = Vec::new();
        newest(client, generation, |row: CellRow| self.cell_row(row, &mut large)).await?;
        for (row, upto) in large {
            self.large_cell(client, generation, row, upto).await?;
        }
        newest(client, generation, |row: TraceRow| self.trace_row(&row)).await?;
        self.presence();
        Ok(())
    }

    fn partition(&self, tenant: &str, trace_id: &str) -> i32 {
        topics::trace_partition(tenant, trace_id, self.ends.len() as i32)
    }

    /// The last offset that the projection has read for sure.
    fn read_upto(&self, partition: i32) -> i64 {
        self.next.get(&partition).copied().unwrap_or(0) - 1
    }

    fn state(&mut self, tenant: &str, trace_id: &str, upto: i64) -> Arc<TraceState> {
        let key = (tenant.to_owned(), trace_id.to_owned(), upto);
        match &self.last {
            Some((held, state)) if *held == key => state.clone(),
            _ => {
                let state = Arc::new(self.fold.trace_at(tenant, trace_id, Some(upto)));
                self.last = Some((key, state.clone()));
                state
            }
        }
    }

    /// What a row is compared with: the fold up to an offset. None where it is of another slice or cannot be compared.
    fn expected<R: OfTrace>(&mut self, row: &R) -> Option<(Arc<TraceState>, i64)> {
        let (tenant, trace_id) = row.trace();
        if !self.fold.keeps(tenant, trace_id) {
            return None;
        }
        self.seen.insert((R::TABLE, row.key()));
        let Some(offset) = offset_of(row.version()) else {
            self.report.difference(format!(
                "{} {}: version {} is of another epoch",
                R::TABLE,
                row.key(),
                row.version()
            ));
            return None;
        };
        let partition = self.partition(tenant, trace_id);
        if offset >= self.ends.get(&partition).copied().unwrap_or(0) {
            self.newer.insert((tenant.to_owned(), trace_id.to_owned()));
            self.report.skip(R::TABLE);
            return None;
        }
        let upto = offset.max(self.read_upto(partition));
        let state = self.state(tenant, trace_id, upto);
        if *state != TraceState::Deleted && self.fold.is_past_lost(tenant, trace_id) {
            self.report.skip(R::TABLE);
            return None;
        }
        self.report.compared(R::TABLE);
        Some((state, upto))
    }

    /// Whether there is something to compare in an undeleted row; says so where row and fold disagree about that.
    fn found<'v, T>(&mut self, table: &str, key: &str, is_deleted: u8, expected: Option<&'v T>) -> Option<&'v T> {
        self.report.field(table, key, "is_deleted", &u8::from(expected.is_none()), &is_deleted);
        expected.filter(|_| is_deleted == 0)
    }

    fn trace_row(&mut self, row: &TraceRow) {
        let Some((state, _)) = self.expected(row) else { return };
        let (table, key) = (TraceRow::TABLE, &row.key());
        let Some(view) = self.found(table, key, row.is_deleted, state.visible()) else { return };
        let partition = self.partition(&row.tenant, &row.trace_id);
        same! { self, table, key,
            "partition": partition, i32::from(row.partition);
            "received_at": view.received_at, row.received_at;
            "own_started_at": view.own_started_at, row.own_started_at;
            "started_at": view.started_at, row.started_at;
            "ended_at": view.ended_at, row.ended_at;
            "status": view.status.as_str(), row.status.as_str();
            "name": text(&view.name), row.name.as_str();
            "session_id": view.session_id, row.session_id;
            "user_id": view.user_id, row.user_id;
            "project_id": view.project_id, row.project_id;
            "environment": view.environment, row.environment;
            "tags": view.tags, row.tags;
            "lossy": u8::from(view.lossy), row.lossy;
            "golden": u8::from(view.golden), row.golden;
            "warnings": view.warnings, row.warnings;
            "reported_duration_us": view.merged_duration_us, row.reported_duration_us;
            "reported_tokens": view.merged_tokens, row.reported_tokens;
            "reported_cost": view.merged_cost, row.reported_cost.map(Money);
            "span_count": view.spans.len() as u64, row.span_count;
            "token_spans": view.token_spans, row.token_spans;
            "cost_spans": view.cost_spans, row.cost_spans;
            "tokens": view.span_tokens, i128::from(row.tokens);
            "cost": view.span_cost, Money(row.cost);
            "models": view.models, row.models;
            "error_signature": (self.texts.signature)(&view.own_error), row.error_signature;
            "failure": view.failure(self.texts.signature), row.failure;
        }
    }

    fn list_row(&mut self, row: &ListRow) {
        // A row that was written twice is in two parts until they are merged, and is one.
        let again = self.seen.contains(&(ListRow::TABLE, row.key()));
        if !again && row.is_deleted == 0 && self.fold.keeps(&row.tenant, &row.trace_id) {
            *self.listed.entry((row.tenant.clone(), row.trace_id.clone())).or_default() += 1;
        }
        let Some((state, _)) = self.expected(row) else { return };
        let (table, key) = (ListRow::TABLE, &row.key());
        let expected = state.visible().filter(|view| view.started_at == row.started_at);
        let Some(view) = self.found(table, key, row.is_deleted, expected) else { return };
        let failed = view.status == TraceStatus::Failed;
        // A trace without a duration sorts as one of none: whatever stands for it must not look like one.
        let duration = view.total_duration_us.unwrap_or(row.total_duration_us.min(0));
        same! { self, table, key,
            "status": view.status.as_str(), row.status.as_str();
            "name": text(&view.name), row.name.as_str();
            "session_id": view.session_id, row.session_id;
            "user_id": view.user_id, row.user_id;
            "project_id": view.project_id, row.project_id;
            "environment": view.environment, row.environment;
            "tags": view.tags, row.tags;
            "models": view.models, row.models;
            "total_tokens": view.total_tokens, i128::from(row.total_tokens);
            "total_cost": view.total_cost, Money(row.total_cost);
            "total_duration_us": duration, row.total_duration_us;
            "tokens_bucket": bucket(Some(view.total_tokens)), row.tokens_bucket;
            "cost_bucket": bucket(Some(view.total_cost.0)), row.cost_bucket;
            "duration_bucket": bucket(view.total_duration_us.map(i128::from)), row.duration_bucket;
            "failure": if failed { view.failure(self.texts.signature) } else { String::new() }, row.failure;
        }
    }

    fn model_row(&mut self, row: &TraceModelRow) {
        let again = self.seen.contains(&(TraceModelRow::TABLE, row.key()));
        if !again && row.is_deleted == 0 && self.fold.keeps(&row.tenant, &row.trace_id) {
            *self.models.entry((row.tenant.clone(), row.trace_id.clone())).or_default() += 1;
        }
        let Some((state, _)) = self.expected(row) else { return };
        let (table, key) = (TraceModelRow::TABLE, &row.key());
        let view = state.visible().filter(|view| view.started_at == row.started_at);
        let models = view.map(TraceView::by_model).unwrap_or_default();
        let used = models.get(&row.model);
        let Some(used) = self.found(table, key, row.is_deleted, used) else { return };
        let Some(view) = view else { return };
        let first = models.keys().next() == Some(&row.model);
        same! { self, table, key,
            "name": text(&view.name), row.name.as_str();
            "session_id": view.session_id, row.session_id;
            "user_id": view.user_id, row.user_id;
            "project_id": view.project_id, row.project_id;
            "environment": view.environment, row.environment;
            "tags": view.tags, row.tags;
            "traces": i64::from(first), row.traces;
            "calls": used.calls, i128::from(row.calls);
            "unpriced_calls": used.unpriced_calls, i128::from(row.unpriced_calls);
            "input_tokens": used.input_tokens, i128::from(row.input_tokens);
            "output_tokens": used.output_tokens, i128::from(row.output_tokens);
            "cache_read_tokens": used.cache_read_tokens, i128::from(row.cache_read_tokens);
            "cache_write_tokens": used.cache_write_tokens, i128::from(row.cache_write_tokens);
            "reasoning_tokens": used.reasoning_tokens, i128::from(row.reasoning_tokens);
            "tokens": used.tokens, i128::from(row.tokens);
            "timed_calls": used.timed_calls, i128::from(row.timed_calls);
            "duration_us": used.duration_us, i128::from(row.duration_us);
            "cost": used.cost, Money(row.cost);
            "each call": view.calls(&row.model, self.texts), row.each();
        }
    }

    fn span_row(&mut self, row: &SpanRow) {
        let Some((state, _)) = self.expected(row) else { return };
        let (table, key) = (SpanRow::TABLE, &row.key());
        let expected = state.visible().and_then(|view| view.spans.iter().find(|span| span.id == row.span_id));
        let Some(view) = self.found(table, key, row.is_deleted, expected) else { return };
        // The row may leave it to its reader to subtract.
        let passed = view.started_at.zip(view.ended_at).map(|(start, end)| end.saturating_sub(start));
        same! { self, table, key,
            "parent_id": view.parent_id, row.parent_id;
            "span_type": view.span_type.map_or("", |kind| kind.as_str()), row.span_type.as_str();
            "name": text(&view.name), row.name.as_str();
            "model": view.model, row.model;
            "started_at": view.started_at, row.started_at;
            "ended_at": view.ended_at, row.ended_at;
            "duration_us": view.duration_us, row.duration_us.or(passed);
            "input_tokens": view.input_tokens, row.input_tokens;
            "output_tokens": view.output_tokens, row.output_tokens;
            "cache_read_tokens": view.cache_read_tokens, row.cache_read_tokens;
            "cache_write_tokens": view.cache_write_tokens, row.cache_write_tokens;
            "reasoning_tokens": view.reasoning_tokens, row.reasoning_tokens;
            "reported_cost": view.merged_cost, row.reported_cost.map(Money);
            "cost": view.cost, row.cost.map(Money);
            "cost_source": view.cost_source.unwrap_or(""), row.cost_source.as_str();
            "price_table": view.price_table, row.price_table;
            "agent_id": view.agent_id, row.agent_id;
            "parent_agent_id": view.parent_agent_id, row.parent_agent_id;
            "agent_role": view.agent_role, row.agent_role;
            "error_signature": (self.texts.signature)(&view.error), row.error_signature;
            "failed": u8::from(view.failed), row.failed;
            "prompt": view.prompt(self.texts), row.prompt();
            "parameters_hash": view.parameters(self.texts), row.parameters_hash;
            "used_prompt": view.prompt_use(self.texts), (row.used_prompt, row.used_prompt_version);
        }
    }

    fn feedback_row(&mut self, row: &FeedbackRow) {
        let Some((state, _)) = self.expected(row) else { return };
        let (table, key) = (FeedbackRow::TABLE, &row.key());
        let expected = state.visible().and_then(|view| view.feedback.get(&row.user_id));
        let Some(view) = self.found(table, key, row.is_deleted, expected) else { return };
        same! { self, table, key,
            "value": view.value, i32::from(row.value);
            "note": view.note, row.note;
            "created_at": view.created_at, row.created_at;
            "updated_at": view.updated_at, row.updated_at;
        }
    }

    fn cell_row(&mut self, row: CellRow, large: &mut Vec<(CellRow, i64)>) {
        let Some((state, upto)) = self.expected(&row) else { return };
        // Nothing is asked of the content of a trace that is not visible.
        let Some(view) = state.visible() else { return };
        if row.chunks > 0 {
            large.push((row, upto));
        } else {
            self.report.field(CellRow::TABLE, &row.key(), "value", &cell(view, &row), &Some(row.value.as_str()));
        }
    }

    async fn large_cell(&mut self, client: &Client, generation: &str, row: CellRow, upto: i64) -> anyhow::Result<()> {
        let sql = format!(
            "SELECT ?fields FROM chunks_{generation} WHERE tenant = ? AND trace_id = ? AND sha256 = ? ORDER BY n, version"
        );
        let query = client.query(&sql).bind(&row.tenant).bind(&row.trace_id).bind(&row.sha256);
        let chunks: BTreeMap<u16, Vec<u8>> =
            query.fetch_all::<ChunkRow>().await?.into_iter().map(|chunk| (chunk.n, chunk.data)).collect();
        let complete = chunks.len() == usize::from(row.chunks);
        let found = complete
            .then(|| String::from_utf8_lossy(&chunks.into_values().flatten().collect::<Vec<u8>>()).into_owned());
        let state = self.state(&row.tenant, &row.trace_id, upto);
        let expected = state.visible().and_then(|view| cell(view, &row));
        self.report.field(CellRow::TABLE, &row.key(), "value", &expected, &found.as_deref());
        Ok(())
    }

    /// What lies before the checkpoint must be there.
    fn presence(&mut self) {
        let fold = self.fold;
        for (tenant, trace_id) in fold.traces() {
            let read_upto = self.read_upto(self.partition(tenant, trace_id));
            let state = fold.trace_at(tenant, trace_id, Some(read_upto));
            if state == TraceState::Absent || (state != TraceState::Deleted && fold.is_past_lost(tenant, trace_id)) {
                continue;
            }
            self.must_have(TraceRow::TABLE, &(tenant, trace_id));
            let key = (tenant.to_owned(), trace_id.to_owned());
            // A trace that moved on may be half written, or deleted and emptied by now.
            let moved = fold.offsets(tenant, trace_id).any(|offset| offset > read_upto) || self.newer.contains(&key);
            let Some(view) = state.visible().filter(|_| !moved) else { continue };
            self.report.visible_traces += 1;
            let listed = self.listed.get(&key).copied().unwrap_or(0);
            self.report.field(ListRow::TABLE, &format!("{key:?}"), "undeleted rows", &1, &listed);
            let (models, expected) = (self.models.get(&key).copied().unwrap_or(0), view.by_model().len() as u64);
            self.report.field(TraceModelRow::TABLE, &format!("{key:?}"), "undeleted rows", &expected, &models);
            for user in view.feedback.keys() {
                self.must_have(FeedbackRow::TABLE, &(tenant, trace_id, user));
            }
            for span in &view.spans {
                self.must_have(SpanRow::TABLE, &(tenant, trace_id, &span.id));
                for field in span.cells.keys() {
                    self.must_have(CellRow::TABLE, &(tenant, trace_id, &span.id, field.as_str()));
                }
            }
            for field in view.cells.keys() {
                self.must_have(CellRow::TABLE, &(tenant, trace_id, "", field.as_str()));
            }
            if view.root_cause.is_some() {
                self.must_have(CellRow::TABLE, &(tenant, trace_id, "", RootCause::FIELD));
            }
        }
    }

    fn must_have(&mut self, table: &'static str, key: &impl Debug) {
        let key = (table, format!("{key:?}"));
        if !self.seen.contains(&key) {
            self.report.difference(format!("{table} {}: there is no row", key.1));
        }
    }
}

fn text(value: &Option<String>) -> &str {
    value.as_deref().unwrap_or("")
}

/// The fold's value of a cell; the trace's own cells have no span id.
fn cell<'v>(view: &'v TraceView, row: &CellRow) -> Option<&'v str> {
    let cells = match row.span_id.as_str() {
        "" if row.field == RootCause::FIELD => return view.root_cause.as_deref(),
        "" => &view.cells,
        id => &view.spans.iter().find(|span| span.id == id)?.cells,
    };
    cells.get(&PayloadField::parse(&row.field)?).map(String::as_str)
}
