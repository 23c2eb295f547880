//! The attacks.

use std::sync::Arc;

use runtime::Settings;
use schemas::events::LogCreated;
use sqlx::PgPool;

use super::compare::{difference, not_a_fold};
use super::history::{Op, PARTITION, Random, log, price_book, random};
use super::memory::{Broken, Memory};
use crate::projections::Projection;
use crate::projections::traces::seam::{Rows, Table};
use crate::projections::traces::{Prepared, Traces};

/// How a run deviates from the real thing; the default does not.
#[derive(Clone, Copy, Default)]
struct Attack {
    broken: Broken,
    /// Writes these tables in this order instead of the real one.
    order: Option<fn(&Prepared) -> [Table<'_>; 11]>,
    /// Goes on with a cache after another writer had the partition.
    keeps_cache: bool,
    writers: usize,
}

async fn writer(memory: &Memory, pool: &PgPool) -> Traces<Memory> {
    let settings = Arc::new(Settings { known_ids_capacity: 1000, state_cache_spans: 4, ..Settings::default() });
    let mut writer = Traces::new(settings, memory.clone(), pool.clone(), price_book());
    take(&mut writer).await;
    writer
}

async fn take(writer: &mut Traces<Memory>) {
    let created = LogCreated { log_id: "log".to_owned(), epoch: 0, partitions: 16 };
    writer.take(PARTITION, created).await.unwrap();
}

async fn commit(
    writer: &mut Traces<Memory>,
    memory: &Memory,
    prepared: &Prepared,
    attack: Attack,
) -> anyhow::Result<()> {
    let Some(order) = attack.order else { return writer.commit(prepared).await };
    for table in order(prepared) {
        memory.write(table).await?;
    }
    Ok(())
}

/// Runs a history with crashes until it is through; the difference that is left, if any.
async fn run(ops: &[Op], seed: u64, attack: Attack, pool: &PgPool) -> Option<String> {
    let log = log(ops);
    let end = log.decoded.len() as i64;
    let memory = Memory::new(attack.broken);
    let random = &mut Random::new(seed ^ 0x5eed);
    let mut writers = Vec::new();
    for _ in 0..attack.writers.max(1) {
        writers.push((writer(&memory, pool).await, 0i64));
    }
    let mut crashes = 0;
    while memory.next_offset() < end {
        let which = random.below(writers.len() as u64) as usize;
        let (writer, at) = &mut writers[which];
        // Some of what lies before the checkpoint is read again, as after a start.
        if *at >= end {
            *at = memory.next_offset();
        }
        let until = *at + 1 + random.below((end - *at) as u64) as i64;
        let batch = &log.decoded[*at as usize..until as usize];
        let prepared = writer.prepare(batch).await.unwrap();
        memory.tables.lock().unwrap().budget = if crashes < 12 { random.below(48) as usize } else { usize::MAX };
        let committed = commit(writer, &memory, &prepared, attack).await;
        if let Some(found) = not_a_fold(&memory.tables.lock().unwrap(), &log.fold) {
            return Some(found);
        }
        match committed {
            Ok(()) => *at = until,
            Err(_) => {
                crashes += 1;
                let again = self::writer(&memory, pool).await;
                let checkpoint = memory.next_offset();
                writers[which] = (again, checkpoint - random.below(checkpoint as u64 + 1) as i64);
            }
        }
        memory.tables.lock().unwrap().budget = usize::MAX;
        if attack.writers == 2 && attack.keeps_cache && random.below(2) == 0 {
            let (writer, at) = &mut writers[which];
            *at = memory.next_offset().max(*at);
            let _ = writer;
        }
    }
    let tables = memory.tables.lock().unwrap();
    difference(&tables, &log.fold)
}

fn wrong(histories: u64, attack: Attack) -> Option<(u64, String)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        // Never connected to: the price tables of the histories are known.
        let pool = PgPool::connect_lazy("postgres://nobody@127.0.0.1:1/none").unwrap();
        for seed in 1..=histories {
            let ops = random(seed);
            if let Some(found) = run(&ops, seed, attack, &pool).await {
                return Some((seed, shrink(ops, seed, attack, &pool, found).await));
            }
        }
        None
    })
}

/// Leaves operations out for as long as the history still fails.
async fn shrink(mut ops: Vec<Op>, seed: u64, attack: Attack, pool: &PgPool, mut found: String) -> String {
    let mut at = 0;
    while at < ops.len() {
        let mut fewer = ops.clone();
        fewer.remove(at);
        match run(&fewer, seed, attack, pool).await {
            Some(difference) => (ops, found) = (fewer, difference),
            None => at += 1,
        }
    }
    format!("{found}\n{ops:#?}")
}

#[track_caller]
fn assert_exact(histories: u64, attack: Attack) {
    if let Some((seed, history)) = wrong(histories, attack) {
        panic!("history {seed}: {history}");
    }
}

#[track_caller]
fn assert_fails(attack: Attack) {
    assert!(wrong(5_000, attack).is_some(), "5000 histories did not notice");
}

/// `RETRACE_TEST_HISTORIES=200000` for a long run.
fn histories(usual: u64) -> u64 {
    std::env::var("RETRACE_TEST_HISTORIES").ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

#[test]
fn every_history_is_exact_whatever_crashes() {
    assert_exact(histories(5_000), Attack::default());
}

#[test]
fn two_writers_at_once_are_exact() {
    assert_exact(histories(5_000), Attack { writers: 2, ..Attack::default() });
}

macro_rules! order {
    ($($table:ident $rows:ident),+) => {
        Some((|prepared| [$(Table::$table(&prepared.$rows)),+]) as fn(&Prepared) -> [Table<'_>; 11])
    };
}

#[test]
fn the_order_of_writing_as_it_is_passes_the_same_way() {
    let order = order!(Cells cells, Counts counts, List list, TraceModels models, CostTotals cost_totals, Usage usage, PromptUses prompt_uses, Traces traces, Spans spans, Feedback feedback, Checkpoints checkpoints);
    assert_exact(1_000, Attack { order, ..Attack::default() });
}

#[test]
fn counts_after_traces_are_wrong() {
    let order = order!(Cells cells, List list, TraceModels models, CostTotals cost_totals, Usage usage, PromptUses prompt_uses, Traces traces, Counts counts, Spans spans, Feedback feedback, Checkpoints checkpoints);
    assert_fails(Attack { order, ..Attack::default() });
}

#[test]
fn the_list_after_traces_is_wrong() {
    let order = order!(Cells cells, Counts counts, TraceModels models, CostTotals cost_totals, Usage usage, PromptUses prompt_uses, Traces traces, List list, Spans spans, Feedback feedback, Checkpoints checkpoints);
    assert_fails(Attack { order, ..Attack::default() });
}

#[test]
fn what_models_were_used_for_after_traces_is_wrong() {
    let order = order!(Cells cells, Counts counts, List list, CostTotals cost_totals, Usage usage, PromptUses prompt_uses, Traces traces, TraceModels models, Spans spans, Feedback feedback, Checkpoints checkpoints);
    assert_fails(Attack { order, ..Attack::default() });
}

#[test]
fn totals_of_models_after_traces_are_wrong() {
    let order = order!(Cells cells, Counts counts, List list, TraceModels models, Usage usage, PromptUses prompt_uses, Traces traces, CostTotals cost_totals, Spans spans, Feedback feedback, Checkpoints checkpoints);
    assert_fails(Attack { order, ..Attack::default() });
}

#[test]
fn usage_after_traces_is_wrong() {
    let order = order!(Cells cells, Counts counts, List list, TraceModels models, CostTotals cost_totals, PromptUses prompt_uses, Traces traces, Usage usage, Spans spans, Feedback feedback, Checkpoints checkpoints);
    assert_fails(Attack { order, ..Attack::default() });
}

#[test]
fn uses_of_prompts_after_traces_are_wrong() {
    let order = order!(Cells cells, Counts counts, List list, TraceModels models, CostTotals cost_totals, Usage usage, Traces traces, PromptUses prompt_uses, Spans spans, Feedback feedback, Checkpoints checkpoints);
    assert_fails(Attack { order, ..Attack::default() });
}

#[test]
fn spans_before_traces_make_rows_that_are_no_fold() {
    let order = order!(Cells cells, Counts counts, List list, TraceModels models, CostTotals cost_totals, Usage usage, PromptUses prompt_uses, Spans spans, Traces traces, Feedback feedback, Checkpoints checkpoints);
    assert_fails(Attack { order, ..Attack::default() });
}

#[test]
fn payloads_after_what_guards_them_are_lost() {
    let order = order!(Counts counts, List list, TraceModels models, CostTotals cost_totals, Usage usage, PromptUses prompt_uses, Traces traces, Spans spans, Cells cells, Feedback feedback, Checkpoints checkpoints);
    assert_fails(Attack { order, ..Attack::default() });
}

#[test]
fn a_checkpoint_before_the_rows_loses_them() {
    let order = order!(Checkpoints checkpoints, Cells cells, Counts counts, List list, TraceModels models, CostTotals cost_totals, Usage usage, PromptUses prompt_uses, Traces traces, Spans spans, Feedback feedback);
    assert_fails(Attack { order, ..Attack::default() });
}

#[test]
fn look_ups_that_hide_tombstones_bring_the_deleted_back() {
    assert_fails(Attack { broken: Broken::HidesTombstones, ..Attack::default() });
}

#[test]
fn a_filter_that_is_not_complete_replaces_a_fold_by_a_fragment() {
    assert_fails(Attack { broken: Broken::ForgetsIds, ..Attack::default() });
}

#[test]
fn a_cache_kept_over_another_writers_turn_is_stale() {
    assert_fails(Attack { writers: 2, keeps_cache: true, ..Attack::default() });
}
