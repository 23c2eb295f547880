//! The rows of the traces projection, as migrations/clickhouse/traces has them, and how the newest of a key are read.

use clickhouse::{Client, Row, RowOwned, RowRead};
use schemas::Money;
use serde::Deserialize;

use crate::view::{CallView, Prompt};

pub trait Keyed: RowOwned + RowRead {
    const TABLE: &'static str;
    /// The sort key, which is what rows replace each other by, then the version.
    const ORDER: &'static str;
    fn key(&self) -> String;
    fn version(&self) -> u64;
}

/// A row about one trace.
pub trait OfTrace: Keyed {
    fn trace(&self) -> (&str, &str);
}

macro_rules! keyed {
    ($row:ident, $table:literal, $($column:ident),+) => {
        impl Keyed for $row {
            const TABLE: &'static str = $table;
            const ORDER: &'static str = concat!($(stringify!($column), ", ",)+ "version");
            fn key(&self) -> String {
                format!("{:?}", ($(&self.$column,)+))
            }
            fn version(&self) -> u64 {
                self.version
            }
        }
    };
    ($row:ident of trace, $table:literal, $($column:ident),+) => {
        keyed!($row, $table, $($column),+);
        impl OfTrace for $row {
            fn trace(&self) -> (&str, &str) {
                (&self.tenant, &self.trace_id)
            }
        }
    };
}

#[derive(Debug, Row, Deserialize)]
pub struct TraceRow {
    pub tenant: String,
    pub trace_id: String,
    pub version: u64,
    pub is_deleted: u8,
    pub partition: u16,
    pub received_at: i64,
    pub own_started_at: Option<i64>,
    pub started_at: i64,
    pub ended_at: Option<i64>,
    pub status: String,
    pub name: String,
    pub session_id: Option<String>,
    pub user_id: Option<String>,
    pub project_id: Option<String>,
    pub environment: Option<String>,
    pub tags: Vec<String>,
    pub lossy: u8,
    pub golden: u8,
    pub warnings: Vec<String>,
    pub reported_duration_us: Option<i64>,
    pub reported_tokens: Option<i64>,
    pub reported_cost: Option<i128>,
    pub span_count: u64,
    pub token_spans: u64,
    pub cost_spans: u64,
    pub tokens: i64,
    pub cost: i128,
    pub models: Vec<String>,
    pub error_signature: String,
    pub failure: String,
}
keyed!(TraceRow of trace, "traces", tenant, trace_id);

#[derive(Debug, Row, Deserialize)]
pub struct ListRow {
    pub tenant: String,
    pub started_at: i64,
    pub trace_id: String,
    pub version: u64,
    pub is_deleted: u8,
    pub status: String,
    pub name: String,
    pub session_id: Option<String>,
    pub user_id: Option<String>,
    pub project_id: Option<String>,
    pub environment: Option<String>,
    pub tags: Vec<String>,
    pub models: Vec<String>,
    pub total_tokens: i64,
    pub total_cost: i128,
    pub total_duration_us: i64,
    pub tokens_bucket: u16,
    pub cost_bucket: u16,
    pub duration_bucket: u16,
    pub failure: String,
}
keyed!(ListRow of trace, "trace_list", tenant, started_at, trace_id);

#[derive(Debug, Row, Deserialize)]
pub struct CountRow {
    pub tenant: String,
    pub day: u16,
    pub project_id: String,
    pub environment: String,
    pub status: String,
    pub partition: u16,
    pub version: u64,
    pub traces: i64,
    pub spans: i64,
    pub tokens: i64,
    pub cost: i128,
}
keyed!(CountRow, "trace_counts", tenant, day, project_id, environment, status, partition);

#[derive(Debug, Row, Deserialize)]
pub struct UsageRow {
    pub tenant: String,
    pub day: u16,
    pub partition: u16,
    pub version: u64,
    pub traces: i64,
    pub spans: i64,
    pub tokens: i64,
    pub cost: i128,
    pub ai_requests: i64,
}
keyed!(UsageRow, "usage_totals", tenant, day, partition);

#[derive(Debug, Row, Deserialize)]
pub struct PromptUseRow {
    pub tenant: String,
    pub prompt: u64,
    pub prompt_version: i64,
    pub partition: u16,
    pub version: u64,
    pub calls: i64,
    pub failed: i64,
    pub tokens: i64,
    pub cost: i128,
}
keyed!(PromptUseRow, "prompt_uses", tenant, prompt, prompt_version, partition);

#[derive(Debug, Row, Deserialize)]
pub struct TraceModelRow {
    pub tenant: String,
    pub started_at: i64,
    pub trace_id: String,
    pub model: String,
    pub version: u64,
    pub is_deleted: u8,
    pub name: String,
    pub session_id: Option<String>,
    pub user_id: Option<String>,
    pub project_id: Option<String>,
    pub environment: Option<String>,
    pub tags: Vec<String>,
    pub traces: i64,
    pub calls: i64,
    pub unpriced_calls: i64,
    pub input_tokens: i64,
    pub output_tokens: i64,
    pub cache_read_tokens: i64,
    pub cache_write_tokens: i64,
    pub reasoning_tokens: i64,
    pub tokens: i64,
    pub timed_calls: i64,
    pub duration_us: i64,
    pub cost: i128,
    pub call_started_at: Vec<i64>,
    pub call_failed: Vec<u8>,
    pub call_input_tokens: Vec<i64>,
    pub call_output_tokens: Vec<i64>,
    pub call_cache_read_tokens: Vec<i64>,
    pub call_cost: Vec<i128>,
    pub call_hash: Vec<u64>,
    pub call_heads: Vec<Vec<u64>>,
    pub call_head_tokens: Vec<Vec<u32>>,
}
keyed!(TraceModelRow of trace, "trace_models", tenant, started_at, trace_id, model);

#[derive(Debug, Row, Deserialize)]
pub struct CostTotalRow {
    pub tenant: String,
    pub cube: u8,
    pub grain: u32,
    pub project_id: String,
    pub model: String,
    pub start: u32,
    pub environment: String,
    pub partition: u16,
    pub version: u64,
    pub traces: i64,
    pub uses: i64,
    pub calls: i64,
    pub unpriced_calls: i64,
    pub input_tokens: i64,
    pub output_tokens: i64,
    pub cache_read_tokens: i64,
    pub cache_write_tokens: i64,
    pub reasoning_tokens: i64,
    pub tokens: i64,
    pub timed_calls: i64,
    pub duration_us: i64,
    pub cost: i128,
}
keyed!(CostTotalRow, "cost_totals", tenant, cube, grain, project_id, model, start, environment, partition);

#[derive(Debug, Row, Deserialize)]
pub struct SpanRow {
    pub tenant: String,
    pub trace_id: String,
    pub span_id: String,
    pub version: u64,
    pub is_deleted: u8,
    pub parent_id: Option<String>,
    pub span_type: String,
    pub name: String,
    pub model: Option<String>,
    pub started_at: Option<i64>,
    pub ended_at: Option<i64>,
    pub duration_us: Option<i64>,
    pub input_tokens: Option<i64>,
    pub output_tokens: Option<i64>,
    pub cache_read_tokens: Option<i64>,
    pub cache_write_tokens: Option<i64>,
    pub reasoning_tokens: Option<i64>,
    pub reported_cost: Option<i128>,
    pub cost: Option<i128>,
    pub cost_source: String,
    pub price_table: String,
    pub agent_id: Option<String>,
    pub parent_agent_id: Option<String>,
    pub agent_role: Option<String>,
    pub failed: u8,
    pub error_signature: String,
    pub prompt_hash: u64,
    pub prompt_length: u32,
    pub head_hashes: Vec<u64>,
    pub head_lengths: Vec<u32>,
    pub parameters_hash: u64,
    pub used_prompt: u64,
    pub used_prompt_version: i64,
}
keyed!(SpanRow of trace, "spans", tenant, trace_id, span_id);

#[derive(Debug, Row, Deserialize)]
pub struct CellRow {
    pub tenant: String,
    pub trace_id: String,
    pub span_id: String,
    pub field: String,
    pub version: u64,
    pub chunks: u16,
    pub sha256: String,
    pub value: String,
}
keyed!(CellRow of trace, "cells", tenant, trace_id, span_id, field);

#[derive(Debug, Row, Deserialize)]
pub struct FeedbackRow {
    pub tenant: String,
    pub trace_id: String,
    pub user_id: String,
    pub version: u64,
    pub is_deleted: u8,
    pub value: i8,
    pub note: Option<String>,
    pub created_at: i64,
    pub updated_at: i64,
}
keyed!(FeedbackRow of trace, "feedback", tenant, trace_id, user_id);

#[derive(Debug, Row, Deserialize)]
pub struct ChunkRow {
    pub n: u16,
    #[serde(with = "serde_bytes")]
    pub data: Vec<u8>,
}

#[derive(Clone, Debug, Row, Deserialize)]
pub struct CheckpointRow {
    pub topic: String,
    pub partition: u16,
    pub next_offset: u64,
    pub log_id: String,
    pub partitions: u16,
}

impl TraceModelRow {
    /// The arrays side by side; one that is shorter than the first ends them all, and is not what is expected.
    pub fn each(&self) -> Vec<CallView> {
        (0..self.call_started_at.len()).map_while(|place| self.call(place)).collect()
    }

    fn call(&self, place: usize) -> Option<CallView> {
        Some(CallView {
            started_at: *self.call_started_at.get(place)?,
            failed: *self.call_failed.get(place)? == 1,
            input_tokens: *self.call_input_tokens.get(place)?,
            output_tokens: *self.call_output_tokens.get(place)?,
            cache_read_tokens: *self.call_cache_read_tokens.get(place)?,
            cost: Money(*self.call_cost.get(place)?),
            hash: *self.call_hash.get(place)?,
            heads: pairs(self.call_heads.get(place)?, self.call_head_tokens.get(place)?),
        })
    }
}

impl SpanRow {
    pub fn prompt(&self) -> Prompt {
        (self.prompt_hash, self.prompt_length, pairs(&self.head_hashes, &self.head_lengths))
    }
}

fn pairs(hashes: &[u64], sizes: &[u32]) -> Vec<(u64, u32)> {
    hashes.iter().copied().zip(sizes.iter().copied()).collect()
}

/// The offset in a row's version; none for a row of another epoch, which this log has not.
pub fn offset_of(version: u64) -> Option<i64> {
    i64::try_from(version).ok().filter(|offset| offset >> 48 == 0)
}

/// Streams a table in its own order, in bounded memory, and hands over each key's rows of its newest version: several
/// only where a row was written twice, and then each must be right.
pub async fn newest<R: Keyed>(client: &Client, generation: &str, mut each: impl FnMut(R)) -> anyhow::Result<()> {
    let sql = format!("SELECT ?fields FROM {}_{generation} ORDER BY {}", R::TABLE, R::ORDER);
    // Rows of one prefix are sorted in blocks of so many rows, and a row may hold a value of 256 KiB.
    let query = client.query(&sql).with_setting("max_block_size", "1000").with_setting("max_threads", "1");
    let mut cursor = query.fetch::<R>()?;
    let mut newest: Vec<R> = Vec::new();
    let mut key = String::new();
    while let Some(row) = cursor.next().await? {
        let row_key = row.key();
        if row_key != key {
            newest.drain(..).for_each(&mut each);
            key = row_key;
        }
        newest.retain(|held| held.version() == row.version());
        newest.push(row);
    }
    newest.into_iter().for_each(each);
    Ok(())
}
