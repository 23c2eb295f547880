//! The loop of one projection: gather until size or age, prepare, commit, again. A store that is down makes it wait; what
//! it cannot apply goes to the dead letters.

use std::time::{Duration, Instant};

use runtime::metrics::METRICS;
use runtime::{Settings, flushes};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::dead_letter::DeadLetters;
use crate::log::decode::{Decoded, Outcome};
use crate::log::{FromLog, Membership};
use crate::projections::Projection;

pub struct Pipeline<P> {
    pub projection: P,
    pub dead_letters: DeadLetters,
    pub stop: CancellationToken,
    pub flush_rows: usize,
    pub flush_bytes: usize,
    pub flush_every: Duration,
    /// A lone write is visible at once; a stream of them is written in larger pieces, which the stores want.
    next_flush: Instant,
}

/// With a store that does not answer, before the partitions are left to others.
const PATIENCE: Duration = Duration::from_secs(20);
/// What arrives together is written together.
const GATHER: Duration = Duration::from_millis(10);

#[derive(Default)]
struct Batch {
    records: Vec<Decoded>,
    bytes: usize,
    weight: usize,
    since: Option<Instant>,
}

impl Batch {
    fn add(&mut self, records: Vec<Decoded>) {
        self.since.get_or_insert_with(Instant::now);
        self.bytes += records.iter().map(|record| record.bytes).sum::<usize>();
        self.weight += records.iter().map(weight).sum::<usize>();
        self.records.extend(records);
    }
}

/// About the rows that a record makes.
fn weight(record: &Decoded) -> usize {
    match &record.outcome {
        Outcome::Event { event, .. } => match event.as_ref() {
            schemas::Event::TraceRecorded(recorded) => 1 + recorded.spans.len(),
            _ => 1,
        },
        _ => 1,
    }
}

impl<P: Projection> Pipeline<P> {
    pub fn new(settings: &Settings, projection: P, dead_letters: DeadLetters, stop: CancellationToken) -> Pipeline<P> {
        Pipeline {
            projection,
            dead_letters,
            stop,
            flush_rows: settings.flush_rows,
            flush_bytes: settings.flush_bytes,
            flush_every: Duration::from_millis(settings.flush_ms),
            next_flush: Instant::now(),
        }
    }

    /// Joins the group once the store answers: a member that cannot write only holds its partitions up. Ends when stopped,
    /// with what was gathered written; an error is one that waiting cannot mend.
    pub async fn run(mut self, join: impl FnOnce() -> anyhow::Result<Membership>) -> anyhow::Result<()> {
        let mut backoff = Backoff::endless();
        while let Err(cause) = self.projection.ready().await {
            self.wait(&mut backoff, &cause, "joining the group").await?;
        }
        let Membership { from_log, lost } = join()?;
        tokio::select! {
            ended = self.follow(from_log) => ended,
            // As after a crash: what was not written is another's to read.
            () = lost.cancelled() => Err(Lost.into()),
        }
    }

    async fn follow(&mut self, mut from_log: mpsc::Receiver<FromLog>) -> anyhow::Result<()> {
        let mut batch = Batch::default();
        loop {
            let due = batch.since.map(|since| self.next_flush.max(since + GATHER));
            let message = tokio::select! {
                () = self.stop.cancelled() => break,
                message = from_log.recv() => message,
                () = sleep_until(due) => {
                    self.flush(&mut batch).await?;
                    continue;
                }
            };
            match message {
                None => break,
                Some(FromLog::Records(records)) => {
                    batch.add(records);
                    if batch.weight >= self.flush_rows || batch.bytes >= self.flush_bytes {
                        self.flush(&mut batch).await?;
                    }
                }
                Some(FromLog::Assigned(partitions, reply)) => {
                    let starts = self.assign(&partitions).await?;
                    tracing::info!(projection = self.projection.name(), ?partitions, "partitions assigned");
                    // The consumer may have stopped meanwhile.
                    let _ = reply.send(starts);
                }
                Some(FromLog::Revoked(partitions, reply)) => {
                    self.flush(&mut batch).await?;
                    self.projection.revoke(&partitions);
                    let _ = reply.send(());
                }
            }
        }
        from_log.close();
        self.flush(&mut batch).await
    }

    /// A store that is down is waited for; a log that does not fit the projection ends it.
    async fn assign(&mut self, partitions: &[i32]) -> anyhow::Result<Vec<(i32, i64)>> {
        let mut backoff = Backoff::default();
        loop {
            match self.projection.assign(partitions).await {
                Ok(starts) => return Ok(starts),
                Err(cause) if is_mismatch(&cause) => return Err(cause),
                Err(cause) => self.wait(&mut backoff, &cause, "taking partitions over").await?,
            }
        }
    }

    async fn flush(&mut self, batch: &mut Batch) -> anyhow::Result<()> {
        let Batch { records, .. } = std::mem::take(batch);
        if records.is_empty() {
            return Ok(());
        }
        let started = Instant::now();
        let mut backoff = Backoff::default();
        for poison in records.iter().filter(|record| matches!(record.outcome, Outcome::Poison { .. })) {
            while let Err(cause) = self.dead_letters.send(poison).await {
                self.wait(&mut backoff, &cause, "writing a dead letter").await?;
            }
        }
        let prepared = loop {
            match self.projection.prepare(&records).await {
                Ok(prepared) => break prepared,
                Err(cause) => self.wait(&mut backoff, &cause, "reading state").await?,
            }
        };
        while let Err(cause) = self.projection.commit(&prepared).await {
            self.wait(&mut backoff, &cause, "writing").await?;
        }
        flushes::flushed();
        self.next_flush = started + self.pace(started.elapsed());
        let name = self.projection.name();
        METRICS.flush_seconds.with_label_values(&[name]).observe(started.elapsed().as_secs_f64());
        METRICS.flush_events.with_label_values(&[name]).inc_by(records.len() as u64);
        tracing::debug!(projection = name, events = records.len(), ms = started.elapsed().as_millis() as u64, "flush");
        Ok(())
    }

    /// A busy store gets fewer and larger pieces: at most half of the time goes into flushes. The cap keeps one slow flush
    /// from being a reason to wait for seconds; a store that was away is no busier for it.
    fn pace(&self, took: Duration) -> Duration {
        (took * 2).clamp(self.flush_every, self.flush_every * 4)
    }

    /// While stopping, a store that is down is not waited for: the batch is read again at the next start. Nor is it waited
    /// for without end: another projector may reach it.
    async fn wait(&self, backoff: &mut Backoff, cause: &anyhow::Error, doing: &str) -> anyhow::Result<()> {
        let name = self.projection.name();
        METRICS.store_errors.with_label_values(&[name]).inc();
        tracing::warn!(projection = name, cause = format!("{cause:#}"), doing, "paused");
        tokio::select! {
            () = self.stop.cancelled() => anyhow::bail!("stopped while {doing}: {cause:#}"),
            () = tokio::time::sleep(backoff.next()) => {}
        }
        anyhow::ensure!(!backoff.is_over(), Lost);
        Ok(())
    }
}

/// The place in the group is given up; the pipeline can be started again.
#[derive(Debug, thiserror::Error)]
#[error("the partitions are left to others")]
pub struct Lost;

/// The log is not the one that this projection was made of.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Mismatch(pub String);

pub fn is_mismatch(cause: &anyhow::Error) -> bool {
    cause.downcast_ref::<Mismatch>().is_some()
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}

struct Backoff {
    next: Duration,
    end: Option<Instant>,
}

impl Default for Backoff {
    fn default() -> Self {
        Backoff { end: Some(Instant::now() + PATIENCE), ..Backoff::endless() }
    }
}

impl Backoff {
    fn endless() -> Backoff {
        Backoff { next: Duration::from_millis(50), end: None }
    }

    fn next(&mut self) -> Duration {
        let now = self.next;
        self.next = (now * 2).min(Duration::from_secs(5));
        now
    }

    fn is_over(&self) -> bool {
        self.end.is_some_and(|end| Instant::now() > end)
    }
}
