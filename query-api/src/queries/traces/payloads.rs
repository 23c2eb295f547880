//! Payload values of some traces or spans, read in one query; large ones are put together from their chunks.

use std::collections::HashMap;

use clickhouse::Row;
use runtime::Problem;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::documents::Payload;
use super::down;
use crate::stores::Tenant;

/// (trace, span or empty, field) → text.
#[derive(Default)]
pub struct Payloads(HashMap<(String, String, String), String>);

#[derive(Row, Deserialize)]
struct Cell {
    trace_id: String,
    span_id: String,
    field: String,
    chunks: u16,
    sha256: String,
    value: String,
}

#[derive(Row, Deserialize)]
struct Chunk {
    #[serde(with = "serde_bytes")]
    data: Vec<u8>,
}

impl Payloads {
    /// Everything of one trace.
    pub async fn of_trace(tenant: &Tenant, trace_id: &str) -> Result<Payloads, Problem> {
        let query = tenant.select("?fields", "cells", "trace_id = ?", "").bind(trace_id);
        Payloads::collect(tenant, query.fetch_all().await.map_err(down)?).await
    }

    /// Everything of the trace itself and of some of its spans.
    pub async fn of_spans(tenant: &Tenant, trace_id: &str, spans: &[String]) -> Result<Payloads, Problem> {
        if spans.is_empty() {
            return Ok(Payloads::default());
        }
        let query = tenant.select("?fields", "cells", "trace_id = ? AND span_id IN ?", "").bind(trace_id).bind(spans);
        Payloads::collect(tenant, query.fetch_all().await.map_err(down)?).await
    }

    /// What a list shows of its traces.
    pub async fn of_list(tenant: &Tenant, traces: &[String]) -> Result<Payloads, Problem> {
        if traces.is_empty() {
            return Ok(Payloads::default());
        }
        let condition = "trace_id IN ? AND span_id = '' AND field IN ('error', 'metadata')";
        let query = tenant.select("?fields", "cells", condition, "").bind(traces);
        Payloads::collect(tenant, query.fetch_all().await.map_err(down)?).await
    }

    async fn collect(tenant: &Tenant, cells: Vec<Cell>) -> Result<Payloads, Problem> {
        let mut payloads = HashMap::with_capacity(cells.len());
        for cell in cells {
            let value = if cell.chunks > 0 { assemble(tenant, &cell).await? } else { cell.value };
            payloads.insert((cell.trace_id, cell.span_id, cell.field), value);
        }
        Ok(Payloads(payloads))
    }

    pub fn text(&mut self, trace_id: &str, span_id: &str, field: &str) -> Option<String> {
        self.0.remove(&(trace_id.to_owned(), span_id.to_owned(), field.to_owned()))
    }

    pub fn json(&mut self, trace_id: &str, span_id: &str, field: &str) -> Option<Payload> {
        RawValue::from_string(self.text(trace_id, span_id, field)?).ok().map(Payload)
    }
}

async fn assemble(tenant: &Tenant, cell: &Cell) -> Result<String, Problem> {
    let chunks: Vec<Chunk> = tenant
        .select("data", "chunks", "trace_id = ? AND sha256 = ?", "ORDER BY n")
        .bind(&cell.trace_id)
        .bind(&cell.sha256)
        .fetch_all()
        .await
        .map_err(down)?;
    if chunks.len() != usize::from(cell.chunks) {
        return Err(Problem::internal(format!("{} of {} chunks of {}", chunks.len(), cell.chunks, cell.sha256)));
    }
    let bytes: Vec<u8> = chunks.into_iter().flat_map(|chunk| chunk.data).collect();
    String::from_utf8(bytes).map_err(Problem::internal)
}
