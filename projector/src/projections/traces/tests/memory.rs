//! A store of replacing tables in memory. It takes rows one by one, and crashes when its budget is spent.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::super::rows::{
    CellRow, CheckpointRow, CostTotalRow, CountRow, FeedbackRow, ListRow, PromptUseRow, SpanRow, TraceModelRow,
    TraceRow, UsageRow,
};
use super::super::seam::{CostTotalKey, CountKey, PromptUseKey, Rows, Table, TraceKey, UsageKey};
use super::super::totals::Total;
use crate::Checkpoint;

#[derive(Default)]
pub struct Tables {
    pub traces: BTreeMap<TraceKey, TraceRow>,
    pub list: BTreeMap<(String, i64, String), ListRow>,
    pub counts: BTreeMap<CountKey, CountRow>,
    pub models: BTreeMap<(String, i64, String, String), TraceModelRow>,
    pub cost_totals: BTreeMap<CostTotalKey, CostTotalRow>,
    pub usage: BTreeMap<UsageKey, UsageRow>,
    pub prompt_uses: BTreeMap<PromptUseKey, PromptUseRow>,
    pub spans: BTreeMap<(String, String, String), SpanRow>,
    pub cells: BTreeMap<(String, String, String, String), CellRow>,
    pub feedback: BTreeMap<(String, String, String), FeedbackRow>,
    pub checkpoint: Option<CheckpointRow>,
    /// Rows that may still be written before the crash.
    pub budget: usize,
}

/// What a broken store would do.
#[derive(Clone, Copy, Default, PartialEq)]
pub enum Broken {
    #[default]
    No,
    /// As a look-up with `FINAL` would.
    HidesTombstones,
    /// The known ids are called complete without having been read.
    ForgetsIds,
}

#[derive(Clone)]
pub struct Memory {
    pub tables: Arc<Mutex<Tables>>,
    pub broken: Broken,
}

impl Memory {
    pub fn new(broken: Broken) -> Memory {
        Memory { tables: Arc::new(Mutex::new(Tables { budget: usize::MAX, ..Tables::default() })), broken }
    }

    pub fn next_offset(&self) -> i64 {
        self.tables.lock().unwrap().checkpoint.as_ref().map_or(0, |row| row.next_offset as i64)
    }

    fn hides(&self, deleted: u8) -> bool {
        self.broken == Broken::HidesTombstones && deleted == 1
    }
}

fn put<K: Ord, V: Clone>(table: &mut BTreeMap<K, V>, key: K, row: &V, version: fn(&V) -> u64) {
    match table.get(&key) {
        Some(held) if version(held) > version(row) => {}
        _ => {
            table.insert(key, row.clone());
        }
    }
}

impl Tables {
    fn spend(&mut self) -> anyhow::Result<()> {
        anyhow::ensure!(self.budget > 0, "crash");
        self.budget -= 1;
        Ok(())
    }
}

impl Rows for Memory {
    async fn spans(&self, keys: &[TraceKey]) -> anyhow::Result<Vec<SpanRow>> {
        let tables = self.tables.lock().unwrap();
        let of =
            |row: &&SpanRow| keys.contains(&(row.tenant.clone(), row.trace_id.clone())) && !self.hides(row.is_deleted);
        Ok(tables.spans.values().filter(of).cloned().collect())
    }

    async fn feedback(&self, keys: &[TraceKey]) -> anyhow::Result<Vec<FeedbackRow>> {
        let tables = self.tables.lock().unwrap();
        let of = |row: &&FeedbackRow| {
            keys.contains(&(row.tenant.clone(), row.trace_id.clone())) && !self.hides(row.is_deleted)
        };
        Ok(tables.feedback.values().filter(of).cloned().collect())
    }

    async fn traces(&self, keys: &[TraceKey]) -> anyhow::Result<Vec<TraceRow>> {
        let tables = self.tables.lock().unwrap();
        Ok(keys
            .iter()
            .filter_map(|key| tables.traces.get(key))
            .filter(|row| !self.hides(row.is_deleted))
            .cloned()
            .collect())
    }

    async fn counts(&self, keys: &[CountKey]) -> anyhow::Result<Vec<CountRow>> {
        let tables = self.tables.lock().unwrap();
        Ok(keys.iter().filter_map(|key| tables.counts.get(key)).cloned().collect())
    }

    async fn cost_totals(&self, keys: &[CostTotalKey]) -> anyhow::Result<Vec<CostTotalRow>> {
        let tables = self.tables.lock().unwrap();
        Ok(keys.iter().filter_map(|key| tables.cost_totals.get(key)).cloned().collect())
    }

    async fn prompt_uses(&self, keys: &[PromptUseKey]) -> anyhow::Result<Vec<PromptUseRow>> {
        let tables = self.tables.lock().unwrap();
        Ok(keys.iter().filter_map(|key| tables.prompt_uses.get(key)).cloned().collect())
    }

    async fn usage(&self, keys: &[UsageKey]) -> anyhow::Result<Vec<UsageRow>> {
        let tables = self.tables.lock().unwrap();
        Ok(keys.iter().filter_map(|key| tables.usage.get(key)).cloned().collect())
    }

    async fn trace_hashes(&self, partition: i32, each: &mut (dyn FnMut(u64) + Send)) -> anyhow::Result<()> {
        if self.broken == Broken::ForgetsIds {
            return Ok(());
        }
        let tables = self.tables.lock().unwrap();
        for row in tables.traces.values().filter(|row| i32::from(row.partition) == partition) {
            each(schemas::topics::aggregate_hash(&row.tenant, &row.trace_id));
        }
        Ok(())
    }

    async fn checkpoints(&self) -> anyhow::Result<Vec<Checkpoint>> {
        Ok(Vec::new())
    }

    async fn write(&self, table: Table<'_>) -> anyhow::Result<()> {
        let tables = &mut *self.tables.lock().unwrap();
        match table {
            Table::Cells(rows) => {
                for row in rows {
                    tables.spend()?;
                    let key = (row.tenant.clone(), row.trace_id.clone(), row.span_id.clone(), row.field.clone());
                    put(&mut tables.cells, key, row, |row| row.version);
                }
            }
            Table::Counts(rows) => {
                for row in rows {
                    tables.spend()?;
                    put(&mut tables.counts, row.key(), row, |row| row.version);
                }
            }
            Table::CostTotals(rows) => {
                for row in rows {
                    tables.spend()?;
                    put(&mut tables.cost_totals, row.key(), row, |row| row.version);
                }
            }
            Table::PromptUses(rows) => {
                for row in rows {
                    tables.spend()?;
                    put(&mut tables.prompt_uses, row.key(), row, |row| row.version);
                }
            }
            Table::Usage(rows) => {
                for row in rows {
                    tables.spend()?;
                    put(&mut tables.usage, row.key(), row, |row| row.version);
                }
            }
            Table::TraceModels(rows) => {
                for row in rows {
                    tables.spend()?;
                    let key = (row.tenant.clone(), row.started_at, row.trace_id.clone(), row.model.clone());
                    put(&mut tables.models, key, row, |row| row.version);
                }
            }
            Table::List(rows) => {
                for row in rows {
                    tables.spend()?;
                    put(&mut tables.list, (row.tenant.clone(), row.started_at, row.trace_id.clone()), row, |row| {
                        row.version
                    });
                }
            }
            Table::Traces(rows) => {
                for row in rows {
                    tables.spend()?;
                    put(&mut tables.traces, (row.tenant.clone(), row.trace_id.clone()), row, |row| row.version);
                }
            }
            Table::Spans(rows) => {
                for row in rows {
                    tables.spend()?;
                    put(
                        &mut tables.spans,
                        (row.tenant.clone(), row.trace_id.clone(), row.span_id.clone()),
                        row,
                        |row| row.version,
                    );
                }
            }
            Table::Feedback(rows) => {
                for row in rows {
                    tables.spend()?;
                    put(
                        &mut tables.feedback,
                        (row.tenant.clone(), row.trace_id.clone(), row.user_id.clone()),
                        row,
                        |row| row.version,
                    );
                }
            }
            Table::Checkpoints(rows) => {
                for row in rows {
                    tables.spend()?;
                    // It only moves forward.
                    if tables.checkpoint.as_ref().is_none_or(|held| held.next_offset < row.next_offset) {
                        tables.checkpoint = Some(row.clone());
                    }
                }
            }
            Table::Chunks(_) | Table::Erasures(_) => {}
        }
        Ok(())
    }
}
