//! What a tenant has ingested, by the day of the event: an id counts once, by the first event that names it. A deletion takes
//! nothing away, and a new price changes nothing.

use schemas::Event;

use super::entry::TraceEntry;
use super::fold::{At, Changes};
use super::rows::{TraceRow, UsageRow};
use super::totals;

const DAY_US: i64 = 86_400_000_000;

/// How much of a trace has been ingested.
pub struct Size {
    spans: i64,
    tokens: i64,
    cost: i128,
}

impl Size {
    pub fn of(row: &TraceRow) -> Size {
        Size { spans: row.span_count as i64, tokens: row.total_tokens(), cost: row.total_cost() }
    }
}

/// Counts what an event has added to a trace.
pub fn count(before: Option<Size>, entry: &TraceEntry, event: &Event, at: At<'_>, changes: &mut Changes) {
    let Some(row) = &entry.row else { return };
    let none = UsageRow {
        tenant: at.tenant.to_owned(),
        day: at.time.div_euclid(DAY_US) as u16,
        partition: at.partition as u16,
        ..UsageRow::default()
    };
    let sized =
        |size: Size| UsageRow { traces: 1, spans: size.spans, tokens: size.tokens, cost: size.cost, ..none.clone() };
    let (before, after) = match event {
        Event::TraceRecorded(_) => (before.map(sized), sized(Size::of(row))),
        // Only what a model has said is an event.
        Event::RootCauseFound(_) => (None, UsageRow { ai_requests: 1, ..none.clone() }),
        _ => return,
    };
    totals::changes(before, Some(after), at.version, &mut changes.usage);
}
