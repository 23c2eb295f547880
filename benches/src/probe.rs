//! Small traces among the load, each watched from its acknowledgement until it can be read.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::MissedTickBehavior;

use crate::body::Plan;
use crate::server::{Posted, Server};

const VISIBLE_WITHIN: Duration = Duration::from_secs(900);

#[derive(Default)]
pub struct Probed {
    /// Microseconds from acknowledgement to a whole answer.
    pub visible: Vec<u64>,
    /// Microseconds from sending to acknowledgement.
    pub ack: Vec<u64>,
    /// Answers that had the trace without its span.
    pub torn: u64,
    pub failed: u64,
    pub last_failure: Option<String>,
}

pub struct Probes {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Probed>,
}

struct Seen {
    ack: Duration,
    visible: Duration,
    torn: u64,
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
    let mut tick = tokio::time::interval(Duration::from_millis(every_ms));
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    for index in 0.. {
        tokio::select! {
            _ = &mut stopped => break,
            _ = tick.tick() => {}
        }
        let (plan, server) = (Arc::clone(&plan), Arc::clone(&server));
        running.spawn(async move { one(&plan, &server, index).await });
    }
    while let Some(ended) = running.join_next().await {
        match ended.map_err(anyhow::Error::from).and_then(|seen| seen) {
            Ok(seen) => {
                probed.ack.push(seen.ack.as_micros() as u64);
                probed.visible.push(seen.visible.as_micros() as u64);
                probed.torn += seen.torn;
            }
            Err(cause) => {
                probed.failed += 1;
                probed.last_failure = Some(format!("{cause:#}"));
            }
        }
    }
    probed
}

async fn one(plan: &Plan, server: &Server, index: u64) -> anyhow::Result<Seen> {
    let body = plan.probe(index)?;
    let encoded = plan.encoding.encode(body.json)?;
    let sent = Instant::now();
    let Posted::Accepted(_) = server.post(encoded).await? else { anyhow::bail!("a probe was refused") };
    let acked = Instant::now();
    let mut torn = 0;
    loop {
        // A server that has not got it yet holds the question back until it has.
        match server.spans_of(&body.id, None).await? {
            Some(1) => return Ok(Seen { ack: acked - sent, visible: acked.elapsed(), torn }),
            Some(_) => torn += 1,
            None => {}
        }
        anyhow::ensure!(
            acked.elapsed() < VISIBLE_WITHIN,
            "a probe is not visible after {} s",
            VISIBLE_WITHIN.as_secs()
        );
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

impl Probed {
    pub fn histogram(values: &[u64]) -> Option<Histogram<u64>> {
        let mut histogram = Histogram::new(3).ok()?;
        for value in values {
            histogram.record(*value).ok()?;
        }
        Some(histogram)
    }
}
