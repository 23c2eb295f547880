//! The fold: one event into the state of its trace. Pure: what it changes is in the entry and in [`Changes`].

use std::collections::HashMap;

use schemas::Event;
use schemas::events::{
    FeedbackContent, FeedbackGiven, SpanContent, SpanFacts, TraceContent, TraceRecorded, TraceStatus,
};
use schemas::prices::PriceBook;
use schemas::sealing;

use super::calls;
use super::cells;
use super::derive::{Before, settle};
use super::entry::TraceEntry;
use super::merge::{Merge, bit, cell_bit};
use super::prices::{price, reprice};
use super::rows::{
    CellRow, ChunkRow, CostTotalRow, CountRow, ErasureRow, FeedbackRow, ListRow, PromptUseRow, SpanRow, TraceModelRow,
    TraceRow, UsageRow,
};
use super::totals::Change;
use super::usage;
use crate::log::decode::Content;

const MOST_WARNINGS: usize = 100;

/// Where and when an event stands.
#[derive(Clone, Copy)]
pub struct At<'a> {
    pub tenant: &'a str,
    pub partition: i32,
    pub version: u64,
    /// Envelope time in microseconds.
    pub time: i64,
}

/// What the events of one flush change, besides the entries themselves. Of rows with one key the last is written.
#[derive(Default)]
pub struct Changes {
    pub cells: HashMap<(String, String, String, &'static str), CellRow>,
    pub chunks: Vec<ChunkRow>,
    pub list: HashMap<(String, i64, String), ListRow>,
    pub counts: Vec<Change<CountRow>>,
    pub models: HashMap<(String, i64, String, String), TraceModelRow>,
    pub cost_totals: Vec<Change<CostTotalRow>>,
    pub usage: Vec<Change<UsageRow>>,
    pub prompt_uses: Vec<Change<PromptUseRow>>,
    pub erasures: Vec<ErasureRow>,
}

/// Applies an event, unless the rows hold it already. Says whether anything of the entry changed.
pub fn apply(
    entry: &mut TraceEntry,
    event: &Event,
    content: &Content,
    at: At<'_>,
    prices: &PriceBook,
    changes: &mut Changes,
) -> bool {
    if entry.is_deleted() {
        return after_deletion(entry, event, content, at, changes);
    }
    let guarded = entry.version().is_some_and(|version| at.version <= version);
    let before = if guarded { None } else { Before::of(entry) };
    match (event, content) {
        (Event::TraceRecorded(recorded), Content::Trace(content)) => {
            record(entry, recorded, content, at, prices, guarded, changes)
        }
        // Without its content, or when that is erased, it still counts by its facts.
        (Event::TraceRecorded(recorded), _) => {
            record(entry, recorded, &TraceContent::default(), at, prices, guarded, changes)
        }
        (Event::TraceRepriced(_), _) if entry.row.is_none() => return false,
        (Event::TraceRepriced(repriced), _) => reprice(entry, &repriced.price_table, at, prices),
        (Event::TraceDeleted(deleted), _) => delete(entry, &deleted.trace_id, at, guarded, changes),
        (Event::GoldenSet(golden), _) => {
            let Some(row) = entry.row.as_mut().filter(|_| !guarded) else { return false };
            row.golden = u8::from(golden.golden);
        }
        (Event::FeedbackGiven(given), Content::Feedback(content)) => {
            // A row from beyond this event (before a crash) does not mean that the trace existed then.
            if entry.row.as_ref().is_none_or(|row| at.version < row.created_version) {
                return false;
            }
            feedback(entry, given, content, at);
        }
        (Event::RootCauseFound(found), content) => {
            if guarded || entry.row.is_none() {
                return false;
            }
            if let Content::RootCause(content) = content {
                cells::root_cause(changes, at, found, content);
            }
        }
        (Event::ContentChunk(chunk), Content::Chunk(data)) => {
            changes.chunks.push(ChunkRow {
                tenant: at.tenant.to_owned(),
                trace_id: chunk.trace_id.clone(),
                sha256: sealing::hex(chunk.sha256.as_ref()),
                n: chunk.n as u16,
                version: at.version,
                data: data.clone(),
            });
            return false;
        }
        _ => return false,
    }
    if !guarded {
        let ingested = before.as_ref().map(Before::size);
        settle(entry, before, at, changes);
        usage::count(ingested, entry, event, at, changes);
    }
    true
}

/// A trace is deleted. What was said of it before the deletion is read again after a crash, or while another writer is
/// ahead: whatever a slower writer may still write of it is buried at the deletion's version. Anything later is invisible
/// for ever, and to be erased like what came before.
fn after_deletion(entry: &mut TraceEntry, event: &Event, content: &Content, at: At<'_>, changes: &mut Changes) -> bool {
    let Some(version) = entry.version() else { return false };
    let buried = At { version, ..at };
    match event {
        Event::TraceDeleted(_) if at.version > version => false,
        event if at.version > version => {
            changes.erasures.push(erasure(at, trace_id(event)));
            false
        }
        Event::TraceRecorded(recorded) => {
            for facts in &recorded.spans {
                let span = entry
                    .spans
                    .entry(facts.span_id.clone())
                    .or_insert_with(|| SpanRow { span_id: facts.span_id.clone(), ..SpanRow::default() });
                if span.version < version {
                    *span = deleted_span(span, &recorded.trace_id, buried);
                }
            }
            true
        }
        Event::FeedbackGiven(given) => {
            let Content::Feedback(content) = content else { return false };
            let verdict = entry
                .feedback
                .entry(content.user_id.clone())
                .or_insert_with(|| FeedbackRow { user_id: content.user_id.clone(), ..FeedbackRow::default() });
            if verdict.version < version {
                *verdict = deleted_feedback(verdict, &given.trace_id, buried);
            }
            true
        }
        Event::TraceDeleted(deleted) => {
            delete(entry, &deleted.trace_id, at, true, changes);
            true
        }
        _ => false,
    }
}

fn deleted_span(span: &SpanRow, trace_id: &str, at: At<'_>) -> SpanRow {
    SpanRow {
        tenant: at.tenant.to_owned(),
        trace_id: trace_id.to_owned(),
        span_id: span.span_id.clone(),
        version: at.version,
        is_deleted: 1,
        ..SpanRow::default()
    }
}

fn deleted_feedback(verdict: &FeedbackRow, trace_id: &str, at: At<'_>) -> FeedbackRow {
    FeedbackRow {
        tenant: at.tenant.to_owned(),
        trace_id: trace_id.to_owned(),
        user_id: verdict.user_id.clone(),
        version: at.version,
        is_deleted: 1,
        ..FeedbackRow::default()
    }
}

fn record(
    entry: &mut TraceEntry,
    recorded: &TraceRecorded,
    content: &TraceContent,
    at: At<'_>,
    prices: &PriceBook,
    guarded: bool,
    changes: &mut Changes,
) {
    if !guarded {
        let row = entry.row.get_or_insert_with(|| TraceRow {
            tenant: at.tenant.to_owned(),
            trace_id: recorded.trace_id.clone(),
            partition: at.partition as u16,
            created_version: at.version,
            received_at: at.time,
            status: TraceStatus::Running.as_str().to_owned(),
            ..TraceRow::default()
        });
        merge_trace(row, recorded, content);
        let mut merge = Merge { mask: &mut row.ended_mask, phase: recorded.phase };
        for cell in &content.cells {
            if merge.accepts(cell_bit(cell.field)) {
                cells::sign(cell, &mut row.error_signature);
                cells::put(changes, at, &recorded.trace_id, "", cell);
            }
        }
    }
    let empty = SpanContent::default();
    // Entries of one span within an event are merged before the guard can stop the second.
    let mut held: HashMap<&str, bool> = HashMap::new();
    for (place, facts) in recorded.spans.iter().enumerate() {
        let content = content.spans.get(place).unwrap_or(&empty);
        let old = entry.spans.get(&facts.span_id);
        let has =
            *held.entry(facts.span_id.as_str()).or_insert_with(|| old.is_some_and(|span| at.version <= span.version));
        if has {
            continue;
        }
        if let Some(old) = old {
            entry.sums.subtract(old);
        }
        let mut span = old.cloned().unwrap_or_else(|| SpanRow {
            tenant: at.tenant.to_owned(),
            trace_id: recorded.trace_id.clone(),
            span_id: facts.span_id.clone(),
            ..SpanRow::default()
        });
        merge_span(&mut span, facts, content, recorded, prices);
        span.version = at.version;
        let mut mask = span.ended_mask;
        let mut merge = Merge { mask: &mut mask, phase: facts.phase };
        for cell in &content.cells {
            if merge.accepts(cell_bit(cell.field)) {
                cells::sign(cell, &mut span.error_signature);
                calls::read(cell, &mut span);
                cells::put(changes, at, &recorded.trace_id, &facts.span_id, cell);
            }
        }
        span.ended_mask = mask;
        entry.sums.add(&span);
        entry.spans.insert(facts.span_id.clone(), span);
    }
}

fn merge_trace(row: &mut TraceRow, recorded: &TraceRecorded, content: &TraceContent) {
    let content = content.clone();
    let mut mask = row.ended_mask;
    let mut merge = Merge { mask: &mut mask, phase: recorded.phase };
    let terminal = row.status != TraceStatus::Running.as_str();
    let status = recorded.status.filter(|status| !(terminal && *status == TraceStatus::Running));
    merge.set(bit::STATUS, &mut row.status, status.map(|status| status.as_str().to_owned()));
    merge.set_some(bit::STARTED_AT, &mut row.own_started_at, recorded.started_at);
    merge.set_some(bit::ENDED_AT, &mut row.ended_at, recorded.ended_at);
    merge.set_some(bit::DURATION, &mut row.reported_duration_us, recorded.total_duration_us);
    merge.set_some(bit::TOKENS, &mut row.reported_tokens, recorded.total_tokens);
    merge.set_some(bit::COST, &mut row.reported_cost, recorded.total_cost.map(|money| money.0));
    merge.set(bit::LOSSY, &mut row.lossy, recorded.lossy.map(u8::from));
    merge.set(bit::NAME, &mut row.name, content.name);
    merge.set_some(bit::SESSION, &mut row.session_id, content.session_id);
    merge.set_some(bit::USER, &mut row.user_id, content.user_id);
    merge.set_some(bit::PROJECT, &mut row.project_id, content.project_id);
    merge.set_some(bit::ENVIRONMENT, &mut row.environment, content.environment);
    merge.set(bit::TAGS, &mut row.tags, content.tags);
    row.ended_mask = mask;
    for warning in content.warnings {
        if row.warnings.len() < MOST_WARNINGS && !row.warnings.contains(&warning) {
            row.warnings.push(warning);
        }
    }
}

fn merge_span(
    span: &mut SpanRow,
    facts: &SpanFacts,
    content: &SpanContent,
    recorded: &TraceRecorded,
    prices: &PriceBook,
) {
    let content = content.clone();
    let mut mask = span.ended_mask;
    let mut merge = Merge { mask: &mut mask, phase: facts.phase };
    merge.set_some(bit::PARENT, &mut span.parent_id, content.parent_id);
    merge.set(bit::SPAN_TYPE, &mut span.span_type, facts.span_type.map(|kind| kind.as_str().to_owned()));
    merge.set(bit::NAME, &mut span.name, content.name);
    merge.set_some(bit::MODEL, &mut span.model, facts.model.clone());
    merge.set_some(bit::STARTED_AT, &mut span.started_at, facts.started_at);
    merge.set_some(bit::ENDED_AT, &mut span.ended_at, facts.ended_at);
    merge.set_some(bit::DURATION, &mut span.duration_us, facts.duration_us);
    merge.set_some(bit::INPUT_TOKENS, &mut span.input_tokens, facts.input_tokens);
    merge.set_some(bit::OUTPUT_TOKENS, &mut span.output_tokens, facts.output_tokens);
    merge.set_some(bit::CACHE_READ_TOKENS, &mut span.cache_read_tokens, facts.cache_read_tokens);
    merge.set_some(bit::CACHE_WRITE_TOKENS, &mut span.cache_write_tokens, facts.cache_write_tokens);
    merge.set_some(bit::REASONING_TOKENS, &mut span.reasoning_tokens, facts.reasoning_tokens);
    merge.set_some(bit::COST, &mut span.reported_cost, facts.cost.map(|money| money.0));
    merge.set_some(bit::AGENT, &mut span.agent_id, content.agent_id);
    merge.set_some(bit::PARENT_AGENT, &mut span.parent_agent_id, content.parent_agent_id);
    merge.set_some(bit::AGENT_ROLE, &mut span.agent_role, content.agent_role);
    span.ended_mask = mask;
    span.failed |= u8::from(facts.failed);
    price(span, &recorded.price_table, prices);
}

fn delete(entry: &mut TraceEntry, trace_id: &str, at: At<'_>, guarded: bool, changes: &mut Changes) {
    for span in entry.spans.values_mut().filter(|span| span.version < at.version) {
        *span = deleted_span(span, trace_id, at);
    }
    for verdict in entry.feedback.values_mut().filter(|verdict| verdict.version < at.version) {
        *verdict = deleted_feedback(verdict, trace_id, at);
    }
    entry.sums = Default::default();
    if guarded {
        return;
    }
    // Nothing but its facts is kept of a deleted trace.
    let received_at = entry.row.as_ref().map_or(at.time, |row| row.received_at);
    entry.row = Some(TraceRow {
        tenant: at.tenant.to_owned(),
        trace_id: trace_id.to_owned(),
        partition: at.partition as u16,
        is_deleted: 1,
        received_at,
        started_at: received_at,
        ..TraceRow::default()
    });
    changes.erasures.push(erasure(at, trace_id));
}

fn feedback(entry: &mut TraceEntry, given: &FeedbackGiven, content: &FeedbackContent, at: At<'_>) {
    let old = entry.feedback.get(&content.user_id);
    if old.is_some_and(|verdict| at.version <= verdict.version) {
        return;
    }
    let created_at = old.map_or(at.time, |verdict| verdict.created_at);
    let row = FeedbackRow {
        tenant: at.tenant.to_owned(),
        trace_id: given.trace_id.clone(),
        user_id: content.user_id.clone(),
        version: at.version,
        is_deleted: 0,
        value: given.value as i8,
        note: content.note.clone(),
        created_at,
        updated_at: at.time,
    };
    entry.feedback.insert(content.user_id.clone(), row);
}

fn erasure(at: At<'_>, trace_id: &str) -> ErasureRow {
    ErasureRow {
        partition: at.partition as u16,
        version: at.version,
        tenant: at.tenant.to_owned(),
        trace_id: trace_id.to_owned(),
    }
}

pub fn trace_id(event: &Event) -> &str {
    match event {
        Event::TraceRecorded(event) => &event.trace_id,
        Event::TraceDeleted(event) => &event.trace_id,
        Event::TraceRepriced(event) => &event.trace_id,
        Event::GoldenSet(event) => &event.trace_id,
        Event::FeedbackGiven(event) => &event.trace_id,
        Event::RootCauseFound(event) => &event.trace_id,
        Event::ContentChunk(event) => &event.trace_id,
        _ => "",
    }
}
