//! What is derived from a trace's row and the sums over its spans: its place in the list, its share of the counts, and
//! what its models were used for. Nothing here has a guard of its own but the totals; the trace's version is it.

use super::entry::TraceEntry;
use super::fold::{At, Changes};
use super::rows::{CostTotalRow, ListRow, PromptUseRow, TraceModelRow, TraceRow};
use super::totals;
use super::usage::Size;

/// What a cube of the cost totals tells apart, as bits. The numbers are stored.
pub mod cube {
    pub const PROJECT: u8 = 1;
    pub const MODEL: u8 = 2;
}

const DAY: u32 = 86_400;
const QUARTER: u32 = 900;

/// The cubes, and the seconds of their buckets: days of any time zone add up from quarters of an hour. By model these
/// would be hardly fewer than the traces.
const CUBES: [(u8, &[u32]); 4] = [
    (0, &[DAY, QUARTER]),
    (cube::PROJECT, &[DAY, QUARTER]),
    (cube::MODEL, &[DAY]),
    (cube::PROJECT | cube::MODEL, &[DAY]),
];

/// A trace as it was before an event.
pub struct Before {
    row: TraceRow,
    models: Vec<TraceModelRow>,
    prompts: Vec<PromptUseRow>,
}

impl Before {
    pub fn of(entry: &TraceEntry) -> Option<Before> {
        let row = entry.row.clone()?;
        Some(Before { models: row.model_rows(&entry.sums), prompts: entry.sums.prompts.rows(&row), row })
    }

    pub fn size(&self) -> Size {
        Size::of(&self.row)
    }
}

/// The trace's row after the event, and with it all that is derived from the trace.
pub fn settle(entry: &mut TraceEntry, before: Option<Before>, at: At<'_>, changes: &mut Changes) {
    let Some(row) = entry.row.as_mut() else { return };
    row.version = at.version;
    if row.is_deleted == 0 {
        row.derive(&entry.sums);
    }
    let live = (row.is_deleted == 0).then_some(&*row);
    let after = live.map(|row| row.model_rows(&entry.sums)).unwrap_or_default();
    let prompts = live.map(|row| entry.sums.prompts.rows(row)).unwrap_or_default();
    let (before, models, prompts_before) = match before {
        Some(Before { row, models, prompts }) => (Some(row), models, prompts),
        None => (None, Vec::new(), Vec::new()),
    };
    list(before.as_ref(), live, at, changes);
    let counted = |row: Option<&TraceRow>| row.map(TraceRow::count_row);
    totals::changes(counted(before.as_ref()), counted(live), at.version, &mut changes.counts);
    totals::changes(prompts_before, prompts, at.version, &mut changes.prompt_uses);
    let shares =
        |rows: &[TraceModelRow]| -> Vec<CostTotalRow> { rows.iter().flat_map(|row| shares_of(row, at)).collect() };
    totals::changes(shares(&models), shares(&after), at.version, &mut changes.cost_totals);
    by_model(&models, after, at, changes);
}

fn list(before: Option<&TraceRow>, after: Option<&TraceRow>, at: At<'_>, changes: &mut Changes) {
    if let Some(before) = before.filter(|before| after.is_none_or(|row| row.started_at != before.started_at)) {
        // Only the key: content must not outlive the trace in a tombstone.
        let tombstone = ListRow {
            tenant: before.tenant.clone(),
            started_at: before.started_at,
            trace_id: before.trace_id.clone(),
            version: at.version,
            is_deleted: 1,
            ..ListRow::default()
        };
        changes.list.insert((before.tenant.clone(), before.started_at, before.trace_id.clone()), tombstone);
    }
    if let Some(row) = after {
        changes.list.insert((row.tenant.clone(), row.started_at, row.trace_id.clone()), row.list_row());
    }
}

/// A row that is as it was is not written again: the trace's version guards it, not its own.
fn by_model(before: &[TraceModelRow], after: Vec<TraceModelRow>, at: At<'_>, changes: &mut Changes) {
    let key = |row: &TraceModelRow| (row.tenant.clone(), row.started_at, row.trace_id.clone(), row.model.clone());
    let place = |row: &TraceModelRow| (row.started_at, row.model.clone());
    let gone = before.iter().filter(|old| !after.iter().any(|row| place(row) == place(old)));
    for old in gone {
        let tombstone = TraceModelRow {
            tenant: old.tenant.clone(),
            started_at: old.started_at,
            trace_id: old.trace_id.clone(),
            model: old.model.clone(),
            version: at.version,
            is_deleted: 1,
            ..TraceModelRow::default()
        };
        changes.models.insert(key(old), tombstone);
    }
    for row in after {
        let same = |old: &TraceModelRow| *old == TraceModelRow { version: old.version, ..row.clone() };
        if !before.iter().any(same) {
            changes.models.insert(key(&row), row);
        }
    }
}

fn shares_of(row: &TraceModelRow, at: At<'_>) -> impl Iterator<Item = CostTotalRow> {
    let seconds = row.started_at.div_euclid(1_000_000) as u32;
    let buckets = CUBES.iter().flat_map(|(cube, grains)| grains.iter().map(move |grain| (*cube, *grain)));
    buckets.map(move |(cube, grain)| CostTotalRow {
        tenant: row.tenant.clone(),
        cube,
        grain,
        project_id: row.project_id.clone().filter(|_| cube & cube::PROJECT > 0).unwrap_or_default(),
        model: if cube & cube::MODEL > 0 { row.model.clone() } else { String::new() },
        start: seconds - seconds % grain,
        environment: row.environment.clone().unwrap_or_default(),
        partition: at.partition as u16,
        version: 0,
        traces: row.traces,
        uses: 1,
        calls: row.calls,
        unpriced_calls: row.unpriced_calls,
        input_tokens: row.input_tokens,
        output_tokens: row.output_tokens,
        cache_read_tokens: row.cache_read_tokens,
        cache_write_tokens: row.cache_write_tokens,
        reasoning_tokens: row.reasoning_tokens,
        timed_calls: row.timed_calls,
        duration_us: row.duration_us,
        tokens: row.tokens,
        cost: row.cost,
    })
}
