//! `retrace reprice`: what the price tables in force now would change in what is recorded, shown first, then appended as
//! an event a trace. A second run finds what the first has left, or nothing.

mod change;
mod report;
mod source;

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};
use ingest::PriceTables;
use ingest::publish::Publisher;
use ingest::system;
use projector::projections::workspace::price_tables;
use runtime::Settings;
use schemas::prices::PriceBook;
use sqlx::PgPool;

use super::lag::up_to_now;
use crate::cli::RepriceOptions;
use source::{Day, PAGE, Source};

pub use change::{Change, ModelChange};

pub async fn run(settings: &Settings, options: RepriceOptions) -> anyhow::Result<()> {
    let repricing = Repricing::start(settings, options).await?;
    let planned = repricing.plan().await?;
    say(&planned.to_string());
    if planned.changed_traces == 0 {
        return Ok(());
    }
    if !repricing.options.yes {
        say("Nothing is appended; `--yes` appends it.");
        return Ok(());
    }
    let appended = repricing.append().await?;
    if appended != planned {
        say(&format!("Meanwhile more was recorded. Appended:\n{appended}"));
    }
    say(&format!("{} traces are repriced.", appended.changed_traces));
    Ok(())
}

/// The tables that were in force at the start, and what is asked for.
pub struct Repricing<'a> {
    settings: &'a Settings,
    options: RepriceOptions,
    pool: PgPool,
    source: Source,
    in_force: PriceTables,
}

impl Repricing<'_> {
    /// Waits until the projections have applied the log as it is now: the table published a moment ago, and what an
    /// earlier run has appended.
    pub async fn start(settings: &Settings, options: RepriceOptions) -> anyhow::Result<Repricing<'_>> {
        let pool = runtime::postgres::pool(settings)?;
        up_to_now(settings, &pool).await?;
        let in_force = PriceTables::read(&pool).await.context("Postgres cannot be read")?;
        Ok(Repricing { settings, options, source: Source::new(settings, pool.clone()), pool, in_force })
    }

    /// What would change.
    pub async fn plan(&self) -> anyhow::Result<Change> {
        self.each_page("looking", async |_, _, _| Ok(())).await
    }

    /// Appends what changes, and returns once the projection has applied it.
    pub async fn append(&self) -> anyhow::Result<Change> {
        let publisher = Publisher::new(self.settings)?;
        let rate = self.options.rate;
        let (started, mut appended) = (Instant::now(), 0);
        let change = self.each_page("appending", async |tenant: &str, tables: &str, traces: Vec<String>| {
            for traces in traces.chunks(PAGE.min(rate as usize)) {
                system::reprice(&publisher, tenant, traces, tables).await?;
                appended += traces.len();
                let due = started + Duration::from_secs_f64(appended as f64 / f64::from(rate));
                tokio::time::sleep_until(due.into()).await;
            }
            Ok(())
        });
        let change = change.await?;
        up_to_now(self.settings, &self.pool).await?;
        Ok(change)
    }

    /// Hands over the traces that change, by tenant with its tables, some at a time.
    async fn each_page(
        &self,
        what: &'static str,
        mut each: impl AsyncFnMut(&str, &str, Vec<String>) -> anyhow::Result<()>,
    ) -> anyhow::Result<Change> {
        let days = self.source.days(&self.options).await?;
        let bar = progress(what, days.len());
        let (mut book, mut sum) = (PriceBook::default(), Change::default());
        for day in &days {
            let tables = self.tables(&day.tenant, &mut book).await?;
            for ids in self.traces(day).await?.chunks(PAGE) {
                let mut changed = Vec::new();
                let read = self.source.spans(&day.tenant, ids, |trace| {
                    let change = Change::of(trace.reported_cost, &trace.calls, &tables, &book);
                    if change.is_of(&self.options.models) {
                        changed.push(trace.id);
                        sum += change;
                    } else {
                        sum += change.left_alone();
                    }
                    Ok(())
                });
                read.await?;
                each(&day.tenant, &tables, changed).await?;
                bar.set_message(format!("{what}, {} traces change", sum.changed_traces));
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(sum)
    }

    async fn traces(&self, day: &Day) -> anyhow::Result<Vec<String>> {
        self.source.traces(&self.options, day).await
    }

    /// Those in force for a tenant, known to the book.
    async fn tables(&self, tenant: &str, book: &mut PriceBook) -> anyhow::Result<String> {
        let tables = self.in_force.of(tenant);
        if tables.is_empty() {
            bail!("no price table is in force for {tenant}");
        }
        for hash in tables.split(',') {
            if !book.knows(hash) {
                let text = price_tables::text(&self.pool, hash).await?;
                let text = text.with_context(|| format!("the price table {hash} is not in Postgres"))?;
                book.add(hash, &text).map_err(anyhow::Error::msg)?;
            }
        }
        Ok(tables)
    }
}

fn progress(what: &'static str, days: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} [{bar:30}] {human_pos}/{human_len} days of tenants, {eta} left");
    let bar = ProgressBar::new(days as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_message(what);
    bar
}

#[expect(clippy::print_stdout, reason = "the command line talks to its user")]
fn say(text: &str) {
    println!("{text}");
}
