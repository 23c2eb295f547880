//! The connections: each takes the next trace, posts it, takes the next, and in the end waits for its last to be readable.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use hdrhistogram::Histogram;
use reqwest::StatusCode;
use tokio::task::JoinSet;

use crate::body::Plan;
use crate::options::Encoding;
use crate::server::{Posted, Read, Server};

/// Positions that a connection waits for in the end: with all connections, enough to meet every partition.
const LAST: usize = 24;
const READABLE_WITHIN: Duration = Duration::from_secs(900);
const LOST_AT_MOST: u64 = 100;

pub struct Driven {
    /// Microseconds from sending to the answer.
    pub ack: Histogram<u64>,
    /// Microseconds from the moment that a trace was due; only with a rate.
    pub ack_from_due: Histogram<u64>,
    pub spans: u64,
    pub json_bytes: u64,
    pub wire_bytes: u64,
    pub payload_bytes: u64,
    pub refused_503: u64,
    pub refused_429: u64,
    pub lost: u64,
    /// From the start to the last acknowledgement.
    pub accepted: Duration,
    /// From the start until all was readable.
    pub readable: Duration,
    last: VecDeque<(String, String, u64)>,
}

impl Driven {
    fn new() -> anyhow::Result<Driven> {
        Ok(Driven {
            ack: Histogram::new(3)?,
            ack_from_due: Histogram::new(3)?,
            spans: 0,
            json_bytes: 0,
            wire_bytes: 0,
            payload_bytes: 0,
            refused_503: 0,
            refused_429: 0,
            lost: 0,
            accepted: Duration::ZERO,
            readable: Duration::ZERO,
            last: VecDeque::new(),
        })
    }

    fn add(&mut self, other: &Driven) -> anyhow::Result<()> {
        self.ack.add(&other.ack)?;
        self.ack_from_due.add(&other.ack_from_due)?;
        self.spans += other.spans;
        self.json_bytes += other.json_bytes;
        self.wire_bytes += other.wire_bytes;
        self.payload_bytes += other.payload_bytes;
        self.refused_503 += other.refused_503;
        self.refused_429 += other.refused_429;
        self.lost += other.lost;
        self.accepted = self.accepted.max(other.accepted);
        self.readable = self.readable.max(other.readable);
        Ok(())
    }
}

pub async fn all(
    plan: &Arc<Plan>,
    server: &Arc<Server>,
    connections: usize,
    started: Instant,
) -> anyhow::Result<Driven> {
    let next = Arc::new(AtomicU64::new(0));
    let mut running = JoinSet::new();
    for _ in 0..connections.max(1) {
        running.spawn(connection(Arc::clone(plan), Arc::clone(server), Arc::clone(&next), started));
    }
    let mut all = Driven::new()?;
    while let Some(ended) = running.join_next().await {
        all.add(&ended??)?;
    }
    Ok(all)
}

async fn connection(
    plan: Arc<Plan>,
    server: Arc<Server>,
    next: Arc<AtomicU64>,
    started: Instant,
) -> anyhow::Result<Driven> {
    let mut driven = Driven::new()?;
    loop {
        let index = next.fetch_add(1, Ordering::Relaxed);
        if index >= plan.traces() {
            break;
        }
        let due = plan.due(index).map(|seconds| started + Duration::from_secs_f64(seconds));
        if let Some(due) = due {
            tokio::time::sleep_until(due.into()).await;
        }
        post(&plan, &server, index, due, &mut driven).await?;
    }
    driven.accepted = started.elapsed();
    readable(&server, &driven.last).await?;
    driven.readable = started.elapsed();
    Ok(driven)
}

async fn post(
    plan: &Arc<Plan>,
    server: &Server,
    index: u64,
    due: Option<Instant>,
    driven: &mut Driven,
) -> anyhow::Result<()> {
    let body = plan.trace(index)?;
    driven.spans += body.spans;
    driven.json_bytes += body.json.len() as u64;
    driven.payload_bytes += body.payload;
    let encoding = plan.encoding;
    let encoded = match encoding {
        Encoding::Identity => encoding.encode(body.json)?,
        _ => tokio::task::spawn_blocking(move || encoding.encode(body.json)).await??,
    };
    driven.wire_bytes += encoded.len() as u64;
    loop {
        let sent = Instant::now();
        match server.post(encoded.clone()).await? {
            Posted::Accepted(position) => {
                driven.ack.record(sent.elapsed().as_micros() as u64)?;
                if let Some(due) = due {
                    driven.ack_from_due.record(due.elapsed().as_micros() as u64)?;
                }
                if driven.last.len() == LAST {
                    driven.last.pop_front();
                }
                driven.last.push_back((body.id, position, body.spans));
                return Ok(());
            }
            Posted::Refused(status, after) => {
                if status == StatusCode::SERVICE_UNAVAILABLE {
                    driven.refused_503 += 1;
                } else {
                    driven.refused_429 += 1;
                }
                tokio::time::sleep(after).await;
            }
            Posted::Lost => {
                driven.lost += 1;
                ensure!(driven.lost < LOST_AT_MOST, "the server is not reachable");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}

/// Waits for the last trace to be readable, and everything before the last positions with it.
async fn readable(server: &Server, last: &VecDeque<(String, String, u64)>) -> anyhow::Result<()> {
    let Some((id, _, spans)) = last.back() else { return Ok(()) };
    let positions: Vec<&str> = last.iter().map(|(_, position, _)| position.as_str()).collect();
    let after = positions.join(",");
    let deadline = Instant::now() + READABLE_WITHIN;
    loop {
        match server.read(id, Some(&after)).await? {
            Read::Whole(read) if read == *spans => return Ok(()),
            Read::Whole(read) => bail!("the trace {id} was sent with {spans} spans and read with {read}"),
            Read::Absent => bail!("the trace {id} was acknowledged and is answered with 404"),
            Read::Waiting => {}
        }
        ensure!(Instant::now() < deadline, "the trace {id} is not readable after {} s", READABLE_WITHIN.as_secs());
    }
}
