//! What the projection asks of its store. ClickHouse is behind it; a store that crashes between any two rows stands there
//! in the tests of the commit protocol.

use std::future::Future;

use super::rows::{
    CellRow, CheckpointRow, ChunkRow, CostTotalRow, CountRow, ErasureRow, FeedbackRow, ListRow, PromptUseRow, SpanRow,
    TraceModelRow, TraceRow, UsageRow,
};
use crate::Checkpoint;

pub type TraceKey = (String, String);
/// Tenant, day, project, environment, status, partition.
pub type CountKey = (String, u16, String, String, String, u16);
/// Tenant, day, partition.
pub type UsageKey = (String, u16, u16);
/// Tenant, prompt, its version, partition.
pub type PromptUseKey = (String, u64, i64, u16);
/// Tenant, cube, grain, project, model, start, environment, partition.
pub type CostTotalKey = (String, u8, u32, String, String, u32, String, u16);

/// Rows of one table. A flush writes them in the order of [`super::Prepared::groups`].
#[derive(Clone, Copy)]
pub enum Table<'a> {
    Chunks(&'a [ChunkRow]),
    Cells(&'a [CellRow]),
    Erasures(&'a [ErasureRow]),
    Counts(&'a [CountRow]),
    List(&'a [ListRow]),
    TraceModels(&'a [TraceModelRow]),
    CostTotals(&'a [CostTotalRow]),
    Usage(&'a [UsageRow]),
    PromptUses(&'a [PromptUseRow]),
    Traces(&'a [TraceRow]),
    Spans(&'a [SpanRow]),
    Feedback(&'a [FeedbackRow]),
    Checkpoints(&'a [CheckpointRow]),
}

/// Look-ups return the newest version of each key, tombstones included.
pub trait Rows: Send + Sync + 'static {
    fn spans(&self, keys: &[TraceKey]) -> impl Future<Output = anyhow::Result<Vec<SpanRow>>> + Send;
    fn feedback(&self, keys: &[TraceKey]) -> impl Future<Output = anyhow::Result<Vec<FeedbackRow>>> + Send;
    fn traces(&self, keys: &[TraceKey]) -> impl Future<Output = anyhow::Result<Vec<TraceRow>>> + Send;
    fn counts(&self, keys: &[CountKey]) -> impl Future<Output = anyhow::Result<Vec<CountRow>>> + Send;
    fn prompt_uses(&self, keys: &[PromptUseKey]) -> impl Future<Output = anyhow::Result<Vec<PromptUseRow>>> + Send;
    fn usage(&self, keys: &[UsageKey]) -> impl Future<Output = anyhow::Result<Vec<UsageRow>>> + Send;
    fn cost_totals(&self, keys: &[CostTotalKey]) -> impl Future<Output = anyhow::Result<Vec<CostTotalRow>>> + Send;
    /// The hashes of all traces of a partition, as [`schemas::topics::aggregate_hash`] makes them.
    fn trace_hashes(
        &self,
        partition: i32,
        each: &mut (dyn FnMut(u64) + Send),
    ) -> impl Future<Output = anyhow::Result<()>> + Send;
    fn checkpoints(&self) -> impl Future<Output = anyhow::Result<Vec<Checkpoint>>> + Send;
    fn write(&self, table: Table<'_>) -> impl Future<Output = anyhow::Result<()>> + Send;
}
