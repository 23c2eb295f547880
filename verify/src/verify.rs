//! Compares the projections with the fold, slice by slice, while they go on.

use std::collections::BTreeMap;
use std::fmt::{self, Debug};

use anyhow::{Context, bail};
use clickhouse::{Client, Compression};
use schemas::topics;
use serde::Serialize;
use sqlx::PgPool;

use crate::audit::{self, Chains, Kept};
use crate::compare::Slice;
use crate::counts::Counts;
use crate::fold::Fold;
use crate::log::{Ends, LogReader};
use crate::rows::{CheckpointRow, CostTotalRow, CountRow, PromptUseRow, UsageRow};
use crate::view::Texts;
use crate::workspace::Workspace;

/// More would not be read.
const SHOWN: usize = 50;
const SHOWN_CHARS: usize = 300;

pub struct Options {
    pub log: LogReader,
    pub clickhouse: Client,
    pub postgres: PgPool,
    /// Generations to compare, e.g. `g1`.
    pub traces_generation: String,
    pub workspace_generation: String,
    pub audit_generation: String,
    /// The log is read once for each; each pass keeps one slice of the traces in memory.
    pub slices: u32,
    pub texts: Texts,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    pub events: u64,
    pub visible_traces: u64,
    /// Rows compared, by table.
    pub compared: BTreeMap<String, u64>,
    /// Rows that are newer than what was read of the log, or whose content is erased before the projection came so far.
    pub skipped: BTreeMap<String, u64>,
    /// Records that mean nothing to this version.
    pub refused: Vec<String>,
    pub total_refused: u64,
    pub differences: Vec<String>,
    pub total_differences: u64,
}

impl Report {
    pub fn is_exact(&self) -> bool {
        self.total_differences == 0
    }

    pub(crate) fn difference(&mut self, text: String) {
        self.total_differences += 1;
        if self.differences.len() < SHOWN {
            self.differences.push(text);
        }
    }

    pub(crate) fn field<T: PartialEq + Debug>(&mut self, table: &str, key: &str, field: &str, expected: &T, found: &T) {
        if expected != found {
            let (expected, found) = (short(expected), short(found));
            self.difference(format!("{table} {key}: {field}: expected {expected}, found {found}"));
        }
    }

    pub(crate) fn compared(&mut self, table: &str) {
        *self.compared.entry(table.to_owned()).or_default() += 1;
    }

    pub(crate) fn skip(&mut self, table: &str) {
        *self.skipped.entry(table.to_owned()).or_default() += 1;
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} events, {} visible traces", self.events, self.visible_traces)?;
        for (table, count) in &self.compared {
            writeln!(f, "{table}: {count} rows compared")?;
        }
        for (table, count) in &self.skipped {
            writeln!(f, "{table}: {count} rows not compared (newer than what was read, or erased)")?;
        }
        for text in &self.refused {
            writeln!(f, "not understood: {text}")?;
        }
        for text in &self.differences {
            writeln!(f, "{text}")?;
        }
        write!(f, "{} differences, {} records not understood", self.total_differences, self.total_refused)
    }
}

fn short(value: &impl Debug) -> String {
    let text = format!("{value:?}");
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((at, _)) => format!("{}… ({} bytes)", &text[..at], text.len()),
        None => text,
    }
}

pub async fn verify(options: Options) -> anyhow::Result<Report> {
    let traces = generation(&options.traces_generation)?;
    let client = options.clickhouse.clone().with_compression(Compression::None);
    let mut report = Report::default();
    // Whatever the projections hold is read before the log's end is: the fold then reaches at least as far.
    let workspace = Workspace::read(&options.postgres, generation(&options.workspace_generation)?).await?;
    let checkpoints = checkpoints(&client, traces).await?;
    let mut counts: Counts<CountRow> = Counts::read(&client, traces, next(&checkpoints), &mut report).await?;
    let mut models: Counts<CostTotalRow> = Counts::read(&client, traces, next(&checkpoints), &mut report).await?;
    let mut usage: Counts<UsageRow> = Counts::read(&client, traces, next(&checkpoints), &mut report).await?;
    let mut prompts: Counts<PromptUseRow> = Counts::read(&client, traces, next(&checkpoints), &mut report).await?;
    let audit = generation(&options.audit_generation)?;
    audit::strays(&client, audit, &mut report).await?;
    let slices = options.slices.max(1);
    for slice in 0..slices {
        let checkpoints = self::checkpoints(&client, traces).await?;
        let audited = audit::checkpoints(&client, audit).await?;
        let log = options.log.clone();
        let (fold, chains, telemetry, events_ends) =
            tokio::task::spawn_blocking(move || read_slice(&log, slice, slices))
                .await
                .context("reading the log failed")??;
        audit::compare(chains, &audited, (&options.log, &client, audit), &[], &mut report).await?;
        tracing::info!(slice, slices, traces = fold.traces().count(), "folded a slice of the log");
        same_log(topics::TELEMETRY, &checkpoints, &telemetry, &fold)?;
        for hash in fold.unknown_price_tables() {
            report.difference(format!("the log: events name the price table {hash}, which it does not have"));
        }
        if slice == 0 {
            same_log(topics::WORKSPACE, &workspace.checkpoints, &events_ends, &fold)?;
            workspace.compare(&fold, &mut report);
            report.events = fold.events;
            report.total_refused = fold.refused.len() as u64;
            report.refused = fold.refused.iter().take(SHOWN).cloned().collect();
        }
        let partitions = i32::try_from(telemetry.len())?;
        counts.add(&fold, options.texts, partitions);
        models.add(&fold, options.texts, partitions);
        usage.add(&fold, options.texts, partitions);
        prompts.add(&fold, options.texts, partitions);
        Slice::new(&fold, &next(&checkpoints), &telemetry, options.texts, &mut report).compare(&client, traces).await?;
    }
    counts.compare(&mut report);
    models.compare(&mut report);
    usage.compare(&mut report);
    prompts.compare(&mut report);
    Ok(report)
}

/// Compares the audit alone, also with heads of its chains that somebody has kept.
pub async fn verify_audit(options: Options, kept: &[Kept]) -> anyhow::Result<Report> {
    let audit = generation(&options.audit_generation)?;
    let client = options.clickhouse.clone().with_compression(Compression::None);
    let mut report = Report::default();
    audit::strays(&client, audit, &mut report).await?;
    let slices = options.slices.max(1);
    for slice in 0..slices {
        let checkpoints = audit::checkpoints(&client, audit).await?;
        let log = options.log.clone();
        let read = move || {
            let mut chains = Chains::of_slice(slice, slices);
            for topic in [topics::WORKSPACE, topics::TELEMETRY] {
                log.read(topic, &log.ends(topic)?, |record| {
                    chains.apply(&record);
                    Ok(())
                })?;
            }
            anyhow::Ok(chains)
        };
        let chains = tokio::task::spawn_blocking(read).await.context("reading the log failed")??;
        audit::compare(chains, &checkpoints, (&options.log, &client, audit), kept, &mut report).await?;
    }
    Ok(report)
}

/// The fold of a slice and its chains, and the ends of telemetry and workspace that they reach.
fn read_slice(log: &LogReader, slice: u32, slices: u32) -> anyhow::Result<(Fold, Chains, Ends, Ends)> {
    // What an event names (price tables, keys) precedes it, and what is refused precedes the checkpoint behind it: those
    // ends are taken later.
    let telemetry = log.ends(topics::TELEMETRY)?;
    let workspace = log.ends(topics::WORKSPACE)?;
    let mut fold = Fold::of_slice(slice, slices);
    let mut chains = Chains::of_slice(slice, slices);
    for (topic, ends) in [
        (topics::KEYS, &log.ends(topics::KEYS)?),
        (topics::DEAD_LETTER, &log.ends(topics::DEAD_LETTER)?),
        (topics::WORKSPACE, &workspace),
        (topics::TELEMETRY, &telemetry),
    ] {
        log.read(topic, ends, |record| {
            chains.apply(&record);
            fold.apply(record);
            Ok(())
        })?;
    }
    Ok((fold, chains, telemetry, workspace))
}

/// How far a projection is in a partition, and of which log.
pub(crate) struct Checkpoint {
    pub partition: i32,
    pub next: i64,
    pub log_id: String,
    pub partitions: i32,
}

async fn checkpoints(client: &Client, generation: &str) -> anyhow::Result<Vec<Checkpoint>> {
    let sql =
        format!("SELECT ?fields FROM checkpoints_{generation} ORDER BY next_offset DESC LIMIT 1 BY topic, partition");
    let rows: Vec<CheckpointRow> =
        client.query(&sql).fetch_all().await.context("ClickHouse's checkpoints cannot be read")?;
    rows.into_iter()
        .filter(|row| row.topic.ends_with(topics::TELEMETRY))
        .map(|row| {
            let (partition, partitions) = (row.partition.into(), row.partitions.into());
            Ok(Checkpoint { partition, next: i64::try_from(row.next_offset)?, log_id: row.log_id, partitions })
        })
        .collect()
}

fn next(checkpoints: &[Checkpoint]) -> Ends {
    checkpoints.iter().map(|checkpoint| (checkpoint.partition, checkpoint.next)).collect()
}

/// A projection of another log, or one that is ahead of the log, cannot be compared with it.
fn same_log(topic: &'static str, checkpoints: &[Checkpoint], ends: &Ends, fold: &Fold) -> anyhow::Result<()> {
    for Checkpoint { partition, next, log_id, partitions } in checkpoints {
        match (fold.logs.get(&(topic, *partition)), ends.get(partition)) {
            (Some(log), Some(end)) if log.log_id == *log_id && log.partitions == *partitions && next <= end => {}
            (Some(log), Some(end)) if log.log_id == *log_id => bail!(
                "the projection is at offset {next} of partition {partition} of {partitions} of {topic}, but the log ends at \
                 {end} and has {} partitions",
                log.partitions
            ),
            _ => bail!("the projection's checkpoint of {topic}, partition {partition}, is of another log ({log_id})"),
        }
    }
    Ok(())
}

/// Names of generations go into statements.
fn generation(name: &str) -> anyhow::Result<&str> {
    match name.strip_prefix('g') {
        Some(digits) if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => Ok(name),
        _ => bail!("`{name}` is not a generation: expected g1, g2, …"),
    }
}
