//! Inputs, outputs and errors of traces by their beginnings, each with a hash of the whole.

use std::collections::HashMap;

use clickhouse::Row;
use runtime::Problem;
use serde::Deserialize;

use crate::stores::{Tenant, down};

/// (trace, span or empty, field) → beginning.
pub struct Heads(HashMap<(String, String, String), Head>);

pub struct Head {
    pub text: String,
    /// Of the whole, where the text is not all of it.
    pub hash: Option<u64>,
}

#[derive(Row, Deserialize)]
struct Cell {
    trace_id: String,
    span_id: String,
    field: String,
    head: String,
    /// 0: the head is the whole.
    hash: u64,
    /// What its chunks are found by; empty: it has none.
    chunked: String,
}

#[derive(Row, Deserialize)]
struct Chunked {
    trace_id: String,
    sha256: String,
    head: String,
    hash: u64,
}

impl Heads {
    /// Of each at most so many letters, and in all so many, errors before others.
    pub async fn read(tenant: &Tenant, traces: &[String], letters: u32, most: u64) -> Result<Heads, Problem> {
        if traces.is_empty() {
            return Ok(Heads(HashMap::new()));
        }
        let columns = format!(
            "trace_id, span_id, toString(field) AS field, substringUTF8(value, 1, {letters}) AS head, \
             if(lengthUTF8(value) > {letters}, xxh3(value), 0) AS hash, if(chunks > 0, sha256, '') AS chunked"
        );
        let condition = "trace_id IN ? AND field IN ('error', 'input', 'output')";
        let rest = format!("ORDER BY field != 'error', trace_id, span_id LIMIT {most}");
        let query = tenant.select(&columns, "cells", condition, &rest).bind(traces);
        let cells: Vec<Cell> = query.fetch_all().await.map_err(down)?;
        let chunked = if cells.iter().any(|cell| !cell.chunked.is_empty()) {
            of_chunks(tenant, traces, letters).await?
        } else {
            HashMap::new()
        };
        let of_cell = |Cell { trace_id, span_id, field, head, hash, chunked: place }: Cell| {
            let (head, hash) = match chunked.get(&(trace_id.clone(), place)) {
                Some((head, hash)) => (head.clone(), *hash),
                None => (head, hash),
            };
            ((trace_id, span_id, field), Head { text: head, hash: (hash != 0).then_some(hash) })
        };
        Ok(Heads(cells.into_iter().map(of_cell).collect()))
    }

    pub fn take(&mut self, trace_id: &str, span_id: &str, field: &str) -> Option<Head> {
        self.0.remove(&(trace_id.to_owned(), span_id.to_owned(), field.to_owned()))
    }
}

/// (trace, name of the value) → beginning and hash. The name is keyed by the trace, so that it says nothing beyond it; equal
/// values are cut into equal chunks.
async fn of_chunks(
    tenant: &Tenant,
    traces: &[String],
    letters: u32,
) -> Result<HashMap<(String, String), (String, u64)>, Problem> {
    let columns = format!(
        "trace_id, sha256, substringUTF8(argMin(data, n), 1, {letters}) AS head, \
         xxh3(toString(arraySort(groupArray((n, xxh3(data)))))) AS hash"
    );
    let query = tenant.select(&columns, "chunks", "trace_id IN ?", "GROUP BY trace_id, sha256").bind(traces);
    let values: Vec<Chunked> = query.fetch_all().await.map_err(down)?;
    Ok(values.into_iter().map(|value| ((value.trace_id, value.sha256), (value.head, value.hash))).collect())
}
