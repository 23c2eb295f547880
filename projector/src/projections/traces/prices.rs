//! The costs of spans, by the price tables that the events about them name.

use anyhow::Context;
use schemas::Event;
use schemas::prices::{PriceBook, Usage};
use sqlx::PgPool;

use super::super::workspace::price_tables;
use super::entry::TraceEntry;
use super::fold::At;
use super::rows::SpanRow;

/// The tables that an event names, comma separated.
pub fn named(event: &Event) -> &str {
    match event {
        Event::TraceRecorded(recorded) => &recorded.price_table,
        Event::TraceRepriced(repriced) => &repriced.price_table,
        _ => "",
    }
}

/// Makes tables known. One that nobody knows yet is waited for, never guessed.
pub async fn load(book: &mut PriceBook, pool: &PgPool, events: impl Iterator<Item = &Event>) -> anyhow::Result<()> {
    for hash in events.flat_map(|event| named(event).split(',')).filter(|hash| !hash.is_empty()) {
        if !book.knows(hash) {
            let table = price_tables::text(pool, hash).await?;
            let table = table.with_context(|| format!("the price table {hash} is not known yet"))?;
            book.add(hash, &table).map_err(anyhow::Error::msg)?;
        }
    }
    Ok(())
}

/// The span names these tables from now on: its cost is what was reported, else what they say.
pub fn price(span: &mut SpanRow, tables: &str, book: &PriceBook) {
    tables.clone_into(&mut span.price_table);
    let computed = || {
        let (model, started_at) = (span.model.as_deref()?, span.started_at?);
        let usage = Usage {
            input: span.input_tokens,
            output: span.output_tokens,
            cache_read: span.cache_read_tokens,
            cache_write: span.cache_write_tokens,
        };
        book.cost(tables, model, started_at, usage)
    };
    (span.cost, span.cost_source) = match (span.reported_cost, computed()) {
        (Some(units), _) => (Some(units), "reported".to_owned()),
        (None, Some(money)) => (Some(money.0), "computed".to_owned()),
        (None, None) => (None, String::new()),
    };
}

/// Every span that the trace had at the event. What a span's row holds already, and spans that came later, are left
/// alone: their versions are not below the event's.
pub fn reprice(entry: &mut TraceEntry, tables: &str, at: At<'_>, book: &PriceBook) {
    for span in entry.spans.values_mut().filter(|span| span.version < at.version && span.price_table != tables) {
        entry.sums.subtract(span);
        price(span, tables, book);
        span.version = at.version;
        entry.sums.add(span);
    }
}
