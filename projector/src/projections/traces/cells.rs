//! Payload values: a row each, written before what guards it.

use insights::failures::signature;
use schemas::events::{Cell, PayloadField, RootCause, RootCauseContent, RootCauseFound};
use schemas::sealing;

use super::fold::{At, Changes};
use super::rows::CellRow;

/// Of a text in chunks nothing is here.
const IN_CHUNKS: &str = "<str>";

/// The signature of an error's text.
pub fn sign(cell: &Cell, held: &mut String) {
    if cell.field == PayloadField::Error {
        *held = if cell.chunks > 0 { IN_CHUNKS.to_owned() } else { signature(&cell.value) };
    }
}

pub fn put(changes: &mut Changes, at: At<'_>, trace_id: &str, span_id: &str, cell: &Cell) {
    let row = CellRow {
        chunks: cell.chunks as u16,
        sha256: cell.sha256.map(|hash| sealing::hex(hash.as_ref())).unwrap_or_default(),
        value: cell.value.clone(),
        ..row(at, trace_id, span_id, cell.field.as_str())
    };
    insert(changes, row, cell.field.as_str());
}

/// A model's verdict is kept with the trace's payloads.
pub fn root_cause(changes: &mut Changes, at: At<'_>, found: &RootCauseFound, content: &RootCauseContent) {
    let kept = RootCause::new(found, content.clone(), at.time);
    let row = CellRow { value: kept.to_json(), ..row(at, &found.trace_id, "", RootCause::FIELD) };
    insert(changes, row, RootCause::FIELD);
}

fn row(at: At<'_>, trace_id: &str, span_id: &str, field: &str) -> CellRow {
    CellRow {
        tenant: at.tenant.to_owned(),
        trace_id: trace_id.to_owned(),
        span_id: span_id.to_owned(),
        field: field.to_owned(),
        version: at.version,
        chunks: 0,
        sha256: String::new(),
        value: String::new(),
    }
}

fn insert(changes: &mut Changes, row: CellRow, field: &'static str) {
    changes.cells.insert((row.tenant.clone(), row.trace_id.clone(), row.span_id.clone(), field), row);
}
