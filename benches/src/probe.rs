//! Small traces among the load, each watched from its acknowledgement until it can be read.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use hdrhistogram::Histogram;
use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinHandle, JoinSet};
use tokio::time::MissedTickBehavior;

use crate::body::Plan;
use crate::server::{Posted, Read, Server};

/// More than this is no race but a loss.
const ABSENT_AT_MOST: u64 = 500;
/// While so many wait, no more are started: a server that is behind is not to be kept busy by being watched.
const WAITING_AT_MOST: usize = 32;
const VISIBLE_WITHIN: Duration = Duration::from_secs(900);

#[derive(Default)]
pub struct Probed {
    /// Microseconds from acknowledgement to a whole answer.
    pub visible: Vec<u64>,
    /// When each of these was acknowledged, in milliseconds from the start.
    pub at: Vec<u64>,
    /// Microseconds from sending to acknowledgement, of all that were acknowledged.
    pub ack: Vec<u64>,
    /// Answers that had the trace without its span.
    pub torn: u64,
    /// Answers that said of an acknowledged trace that there is none.
    pub absent: u64,
    /// Probes that were due while too many waited.
    pub skipped: u64,
    pub failed: u64,
    pub last_failure: Option<String>,
}

pub struct Probes {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Probed>,
}

/// An acknowledged trace and what became of it.
struct Seen {
    at: Duration,
    ack: Duration,
    visible: anyhow::Result<Duration>,
    torn: u64,
    absent: u64,
}

pub fn start(plan: Arc<Plan>, server: Arc<Server>, every_ms: u64) -> Probes {
    let (stop, stopped) = oneshot::channel();
    Probes { stop, task: tokio::spawn(run(plan, server, every_ms, stopped)) }
}

impl Probes {
    pub async fn finish(self) -> Probed {
        // It may have ended by itself, having been asked for none.
        let _ = self.stop.send(());
        self.task.await.unwrap_or_default()
    }
}

async fn run(plan: Arc<Plan>, server: Arc<Server>, every_ms: u64, mut stopped: oneshot::Receiver<()>) -> Probed {
    let mut probed = Probed::default();
    if every_ms == 0 {
        return probed;
    }
    let mut running = JoinSet::new();
    let began = Instant::now();
    let mut tick = tokio::time::interval(Duration::from_millis(every_ms));
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    for index in 0.. {
        tokio::select! {
            _ = &mut stopped => break,
            _ = tick.tick() => {}
        }
        while let Some(ended) = running.try_join_next() {
            probed.add(ended);
        }
        if running.len() >= WAITING_AT_MOST {
            probed.skipped += 1;
            continue;
        }
        let (plan, server) = (Arc::clone(&plan), Arc::clone(&server));
        running.spawn(async move { one(&plan, &server, index, began).await });
    }
    while let Some(ended) = running.join_next().await {
        probed.add(ended);
    }
    probed
}

async fn one(plan: &Plan, server: &Server, index: u64, began: Instant) -> anyhow::Result<Seen> {
    let body = plan.probe(index)?;
    let encoded = plan.encoding.encode(body.json)?;
    let sent = Instant::now();
    let Posted::Accepted(_) = server.post(encoded).await? else { bail!("a probe was refused") };
    let acked = Instant::now();
    let mut seen = Seen { at: acked - began, ack: acked - sent, visible: Ok(Duration::ZERO), torn: 0, absent: 0 };
    seen.visible = watch(server, &body.id, acked, &mut seen).await;
    Ok(seen)
}

/// Asks until the whole trace is there. A server that has not got it yet holds the question back until it has.
async fn watch(server: &Server, id: &str, acked: Instant, seen: &mut Seen) -> anyhow::Result<Duration> {
    loop {
        match server.read(id, None).await? {
            Read::Whole(1) => return Ok(acked.elapsed()),
            Read::Whole(_) => seen.torn += 1,
            Read::Absent => seen.absent += 1,
            Read::Waiting => {}
        }
        ensure!(seen.absent < ABSENT_AT_MOST, "the trace {id} was acknowledged and is answered with 404");
        ensure!(acked.elapsed() < VISIBLE_WITHIN, "the trace {id} is not visible after {} s", VISIBLE_WITHIN.as_secs());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

impl Probed {
    fn add(&mut self, ended: Result<anyhow::Result<Seen>, JoinError>) {
        let seen = ended.map_err(anyhow::Error::from).and_then(|seen| seen);
        let visible = seen.and_then(|seen| {
            self.ack.push(seen.ack.as_micros() as u64);
            self.torn += seen.torn;
            self.absent += seen.absent;
            seen.visible.map(|visible| (seen.at, visible))
        });
        match visible {
            Ok((at, visible)) => {
                self.at.push(at.as_millis() as u64);
                self.visible.push(visible.as_micros() as u64);
            }
            Err(cause) => {
                self.failed += 1;
                self.last_failure = Some(format!("{cause:#}"));
            }
        }
    }

    /// The slowest, with the second in which each was acknowledged: a slow start looks otherwise than a stall.
    pub fn slowest(&self, count: usize) -> Vec<(f64, f64)> {
        let mut all: Vec<(u64, u64)> = self.visible.iter().copied().zip(self.at.iter().copied()).collect();
        all.sort_unstable_by_key(|(visible, _)| std::cmp::Reverse(*visible));
        all.iter().take(count).map(|(visible, at)| (*at as f64 / 1e3, *visible as f64 / 1e3)).collect()
    }

    pub fn acknowledged(&self) -> u64 {
        self.ack.len() as u64
    }

    pub fn histogram(values: &[u64]) -> Option<Histogram<u64>> {
        let mut histogram = Histogram::new(3).ok()?;
        for value in values {
            histogram.record(*value).ok()?;
        }
        Some(histogram)
    }
}
