//! Traces, spans, payloads and feedback in ClickHouse.
//!
//! A flush looks up the traces that it touches and that the store may have, folds its events into them, and writes:
//! payloads, then what is derived from traces (list, counts), then traces, then spans and feedback, then the checkpoint.
//! Of all orders only this one is exact under crashes: the trace's version guards everything before it, and a span's
//! version guards its payloads (ADR 0003).

mod cache;
mod calls;
mod cells;
mod derive;
mod entry;
mod fold;
mod known_ids;
mod merge;
mod prices;
mod prompt_uses;
mod rows;
mod seam;
mod store;
#[cfg(test)]
mod tests;
mod totals;
mod usage;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use runtime::Settings;
use schemas::prices::PriceBook;
use schemas::{Event, topics};
use sqlx::PgPool;

use self::cache::Cache;
use self::entry::TraceEntry;
use self::fold::{At, Changes};
use self::known_ids::KnownIds;
use self::rows::{
    CellRow, CheckpointRow, ChunkRow, CostTotalRow, CountRow, ErasureRow, FeedbackRow, ListRow, PromptUseRow, SpanRow,
    TraceModelRow, TraceRow, UsageRow,
};
use self::seam::{Rows, Table, TraceKey};
use self::store::Store;
use self::totals::{Change, Totals};
use super::Projection;
use crate::log::decode::{Decoded, Outcome};
use crate::log::identity;

pub struct Traces<S> {
    settings: Arc<Settings>,
    pool: PgPool,
    store: S,
    cache: Cache,
    counts: Totals<CountRow>,
    cost_totals: Totals<CostTotalRow>,
    usage: Totals<UsageRow>,
    prompt_uses: Totals<PromptUseRow>,
    known: KnownIds,
    prices: PriceBook,
    /// Partition → the identity of its log.
    logs: HashMap<i32, schemas::events::LogCreated>,
}

type TotalChanges =
    (Vec<Change<CountRow>>, Vec<Change<CostTotalRow>>, Vec<Change<UsageRow>>, Vec<Change<PromptUseRow>>);
type TotalRows = (Vec<CountRow>, Vec<CostTotalRow>, Vec<UsageRow>, Vec<PromptUseRow>);

/// The rows of a flush, in the order in which they are written.
pub struct Prepared {
    chunks: Vec<ChunkRow>,
    cells: Vec<CellRow>,
    erasures: Vec<ErasureRow>,
    counts: Vec<CountRow>,
    list: Vec<ListRow>,
    models: Vec<TraceModelRow>,
    cost_totals: Vec<CostTotalRow>,
    usage: Vec<UsageRow>,
    prompt_uses: Vec<PromptUseRow>,
    traces: Vec<TraceRow>,
    spans: Vec<SpanRow>,
    feedback: Vec<FeedbackRow>,
    checkpoints: Vec<CheckpointRow>,
}

pub fn hears(kind: &str) -> bool {
    kind.starts_with("dev.retrace.trace.")
        || kind.starts_with("dev.retrace.content.")
        || kind.starts_with("dev.retrace.golden.")
        || kind.starts_with("dev.retrace.feedback.")
        || kind.starts_with("dev.retrace.root_cause.")
}

impl Prepared {
    /// In the order of writing. Of all orders only this one is exact.
    fn groups(&self) -> [Vec<Table<'_>>; 4] {
        [
            vec![
                Table::Chunks(&self.chunks),
                Table::Cells(&self.cells),
                Table::Erasures(&self.erasures),
                Table::Counts(&self.counts),
                Table::List(&self.list),
                Table::TraceModels(&self.models),
                Table::CostTotals(&self.cost_totals),
                Table::Usage(&self.usage),
                Table::PromptUses(&self.prompt_uses),
            ],
            vec![Table::Traces(&self.traces)],
            vec![Table::Spans(&self.spans), Table::Feedback(&self.feedback)],
            vec![Table::Checkpoints(&self.checkpoints)],
        ]
    }
}

/// On ClickHouse.
pub fn on_clickhouse(
    settings: Arc<Settings>,
    client: clickhouse::Client,
    pool: PgPool,
    generation: i32,
) -> anyhow::Result<impl Projection> {
    let prices = PriceBook::with_shipped().map_err(anyhow::Error::msg)?;
    Ok(Traces::new(settings, Store::new(client, generation), pool, prices))
}

impl<S: Rows> Traces<S> {
    fn new(settings: Arc<Settings>, store: S, pool: PgPool, prices: PriceBook) -> Traces<S> {
        Traces {
            store,
            cache: Cache::new(settings.state_cache_spans),
            counts: Totals::default(),
            cost_totals: Totals::default(),
            usage: Totals::default(),
            prompt_uses: Totals::default(),
            known: KnownIds::new(settings.known_ids_capacity),
            prices,
            logs: HashMap::new(),
            settings,
            pool,
        }
    }

    /// From now on this partition's events come here: the filter of known ids is made complete for it.
    async fn take(&mut self, partition: i32, log: schemas::events::LogCreated) -> anyhow::Result<()> {
        let known = &mut self.known;
        self.store.trace_hashes(partition, &mut |hash| known.insert_hash(hash)).await?;
        known.completed(partition);
        self.logs.insert(partition, log);
        Ok(())
    }

    /// Reads the state of every trace that the batch touches, that is not in memory and that the store may have: spans
    /// before traces before what is derived, the reverse of the order of writing.
    async fn load(&mut self, batch: &[Decoded]) -> anyhow::Result<()> {
        let mut wanted: HashSet<TraceKey> = HashSet::new();
        for (decoded, envelope, event) in events(batch) {
            let key = (envelope.tenant.clone(), fold::trace_id(event).to_owned());
            if !self.cache.has(&key) && self.known.may_have(decoded.partition, &key.0, &key.1) {
                wanted.insert(key);
            }
        }
        if wanted.is_empty() {
            return Ok(());
        }
        let keys: Vec<TraceKey> = wanted.into_iter().collect();
        let mut spans: HashMap<TraceKey, Vec<SpanRow>> = HashMap::new();
        for span in self.store.spans(&keys).await? {
            spans.entry((span.tenant.clone(), span.trace_id.clone())).or_default().push(span);
        }
        let mut feedback: HashMap<TraceKey, Vec<FeedbackRow>> = HashMap::new();
        for verdict in self.store.feedback(&keys).await? {
            feedback.entry((verdict.tenant.clone(), verdict.trace_id.clone())).or_default().push(verdict);
        }
        let mut traces: HashMap<TraceKey, TraceRow> = HashMap::new();
        for trace in self.store.traces(&keys).await? {
            traces.insert((trace.tenant.clone(), trace.trace_id.clone()), trace);
        }
        // Rows from beyond this batch: it is read again after a crash, or another writer is ahead. Totals that were
        // cached before may lack what these rows hold already, so they are looked up again, after the rows.
        let first = first_versions(batch);
        let is_ahead = |row: &TraceRow| first.get(&i32::from(row.partition)).is_some_and(|first| row.version >= *first);
        if traces.values().any(is_ahead) {
            self.forget_totals();
        }
        for key in keys {
            let entry = TraceEntry::loaded(
                traces.remove(&key),
                spans.remove(&key).unwrap_or_default(),
                feedback.remove(&key).unwrap_or_default(),
            );
            self.cache.put(key, entry);
        }
        Ok(())
    }

    fn fold(&mut self, batch: &[Decoded]) -> (Changes, HashSet<TraceKey>) {
        let mut changes = Changes::default();
        let mut touched = HashSet::new();
        for decoded in batch {
            let Outcome::Event { envelope, event, content } = &decoded.outcome else { continue };
            let at = At {
                tenant: &envelope.tenant,
                partition: decoded.partition,
                version: decoded.version,
                time: (envelope.time.unix_timestamp_nanos() / 1000) as i64,
            };
            let key = (envelope.tenant.clone(), fold::trace_id(event).to_owned());
            if fold::apply(self.cache.entry(&key), event, content, at, &self.prices, &mut changes) {
                self.known.insert(&key.0, &key.1);
                touched.insert(key);
            }
        }
        (changes, touched)
    }

    fn forget_totals(&mut self) {
        self.counts.clear();
        self.cost_totals.clear();
        self.usage.clear();
        self.prompt_uses.clear();
    }

    /// The rows of totals that the changes come to.
    async fn totals(&mut self, changes: TotalChanges) -> anyhow::Result<TotalRows> {
        tokio::try_join!(
            self.counts.apply(&self.store, changes.0),
            self.cost_totals.apply(&self.store, changes.1),
            self.usage.apply(&self.store, changes.2),
            self.prompt_uses.apply(&self.store, changes.3)
        )
    }
}

/// Where the batch begins in each partition.
fn first_versions(batch: &[Decoded]) -> HashMap<i32, u64> {
    batch.iter().rev().map(|decoded| (decoded.partition, decoded.version)).collect()
}

fn events(batch: &[Decoded]) -> impl Iterator<Item = (&Decoded, &schemas::Envelope, &Event)> {
    batch.iter().filter_map(|decoded| match &decoded.outcome {
        Outcome::Event { envelope, event, .. } => Some((decoded, envelope.as_ref(), event.as_ref())),
        _ => None,
    })
}

impl<S: Rows> Projection for Traces<S> {
    type Prepared = Prepared;

    fn name(&self) -> &'static str {
        "traces"
    }

    async fn ready(&self) -> anyhow::Result<()> {
        self.store.checkpoints().await.map(drop)
    }

    async fn assign(&mut self, partitions: &[i32]) -> anyhow::Result<Vec<(i32, i64)>> {
        let checkpoints = self.store.checkpoints().await?;
        let starts = identity::starts(&self.settings, topics::TELEMETRY, partitions, checkpoints).await?;
        for start in &starts {
            self.take(start.partition, start.log.clone()).await?;
        }
        Ok(starts.into_iter().map(|start| (start.partition, start.offset)).collect())
    }

    fn revoke(&mut self, partitions: &[i32]) {
        // Another node goes on from the store; what is here would be stale when a partition comes back.
        self.cache.clear();
        self.forget_totals();
        for partition in partitions {
            self.known.forget(*partition);
            self.logs.remove(partition);
        }
    }

    async fn prepare(&mut self, batch: &[Decoded]) -> anyhow::Result<Prepared> {
        let named = events(batch).map(|(_, _, event)| event);
        prices::load(&mut self.prices, &self.pool, named).await?;
        self.load(batch).await?;
        let (changes, touched) = self.fold(batch);
        let of_totals = (changes.counts, changes.cost_totals, changes.usage, changes.prompt_uses);
        let (counts, cost_totals, usage, prompt_uses) = match self.totals(of_totals).await {
            Ok(totals) => totals,
            Err(cause) => {
                // What was folded is not written: the next try starts from the store again.
                self.cache.clear();
                self.forget_totals();
                return Err(cause);
            }
        };
        let mut prepared = Prepared {
            chunks: changes.chunks,
            cells: changes.cells.into_values().collect(),
            erasures: changes.erasures,
            counts,
            list: changes.list.into_values().collect(),
            models: changes.models.into_values().collect(),
            cost_totals,
            usage,
            prompt_uses,
            traces: Vec::new(),
            spans: Vec::new(),
            feedback: Vec::new(),
            checkpoints: crate::store::checkpoints(topics::TELEMETRY, &self.logs, batch),
        };
        let first = first_versions(batch);
        for key in touched {
            let entry = self.cache.entry(&key);
            let Some(row) = &entry.row else { continue };
            let since = first.get(&i32::from(row.partition)).copied().unwrap_or(0);
            prepared.traces.extend((row.version >= since).then(|| row.clone()));
            prepared.spans.extend(entry.spans.values().filter(|span| span.version >= since).cloned());
            prepared.feedback.extend(entry.feedback.values().filter(|verdict| verdict.version >= since).cloned());
        }
        Ok(prepared)
    }

    async fn commit(&mut self, prepared: &Prepared) -> anyhow::Result<()> {
        // Side by side what does not depend on each other: the order is between the groups.
        for group in prepared.groups() {
            futures::future::try_join_all(group.into_iter().map(|table| self.store.write(table))).await?;
        }
        self.cache.shrink();
        self.counts.shrink();
        self.cost_totals.shrink();
        self.usage.shrink();
        self.prompt_uses.shrink();
        Ok(())
    }
}
