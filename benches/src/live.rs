//! Many WebSockets at once, as clients with acks hold them: each sends runs at its own pace, and sends again what was not
//! acknowledged when its connection breaks. In the end everything must be there.

mod run;
mod socket;

use std::time::Duration;

use anyhow::ensure;
use clap::Args;
use hdrhistogram::Histogram;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::options::Options;
use crate::processes::resident_mb;
use crate::report::latency;
use crate::server::Server;
use socket::{Pace, Told, connected};

/// Sockets are opened at this distance, and begin to send at random within a second.
const BETWEEN_OPENINGS: Duration = Duration::from_millis(1);
/// What the server may still have to do when the last ack has come.
const SETTLED: Duration = Duration::from_secs(5);

/// Frames over WebSockets in place of requests.
#[derive(Args)]
pub struct LiveOptions {
    /// Open so many WebSockets and send frames; nothing is posted.
    #[arg(long)]
    pub sockets: Option<usize>,
    /// Of one socket.
    #[arg(long, default_value_t = 20, requires = "sockets", value_parser = clap::value_parser!(u32).range(1..))]
    pub frames_per_second: u32,
    #[arg(long, default_value_t = 30, requires = "sockets")]
    pub seconds: u64,
}

pub async fn run(options: &Options, server: &Server, sockets: usize) -> anyhow::Result<Value> {
    let project = format!("live-{}", uuid::Uuid::new_v4());
    let url = format!("{}/ws/v1/stream", options.url.trim_end_matches('/').replacen("http", "ws", 1));
    let before = resident_mb(&options.watch);
    let mut opening = Vec::with_capacity(sockets);
    for _ in 0..sockets {
        opening.push(connected(&url, &options.key).await?);
        tokio::time::sleep(BETWEEN_OPENINGS).await;
    }
    let idle = resident_mb(&options.watch);
    let pace = Pace {
        every: Duration::from_secs(1) / options.live.frames_per_second,
        until: Instant::now() + Duration::from_secs(options.live.seconds),
        span_bytes: options.span_bytes,
    };
    let mut running = JoinSet::new();
    for (number, socket) in opening.into_iter().enumerate() {
        let whose = (url.clone(), options.key.clone());
        running.spawn(socket::drive(socket, whose, project.clone(), pace.clone(), number as u64));
    }
    tokio::time::sleep_until(pace.until).await;
    let busy = resident_mb(&options.watch);
    let mut all = Told { acks: Histogram::new(3)?, frames: 0, runs: 0, lost: 0, errors: 0 };
    while let Some(ended) = running.join_next().await {
        let told = ended??;
        all.acks.add(&told.acks)?;
        all.frames += told.frames;
        all.runs += told.runs;
        all.lost += told.lost;
        all.errors += told.errors;
    }
    tokio::time::sleep(SETTLED).await;
    let found = server.count(&[format!("project_id={project}&status=completed")]).await?;
    ensure!(found == all.runs, "{found} runs are there of {}", all.runs);
    let per_socket = |mb: f64| (mb - before) * 1024.0 / sockets as f64;
    Ok(json!({
        "sockets": sockets,
        "frames_per_second": options.live.frames_per_second,
        "seconds": options.live.seconds,
        "frames": all.frames,
        "runs": all.runs,
        "found": found,
        "lost_connections": all.lost,
        "errors": all.errors,
        "ack": latency(&all.acks),
        "idle_kib_per_connection": per_socket(idle),
        "busy_kib_per_connection": per_socket(busy),
    }))
}

pub fn print(figures: &Value) {
    let at = |path: &str| figures.pointer(path).and_then(Value::as_f64).unwrap_or_default();
    println!(
        "{:.0} sockets × {:.0} frames/s for {:.0} s: {:.0} frames, {:.0} runs, {:.0} found",
        at("/sockets"),
        at("/frames_per_second"),
        at("/seconds"),
        at("/frames"),
        at("/runs"),
        at("/found")
    );
    println!(
        "  ack       p50 {:.1}  p90 {:.1}  p99 {:.1}  max {:.1} ms",
        at("/ack/p50_ms"),
        at("/ack/p90_ms"),
        at("/ack/p99_ms"),
        at("/ack/max_ms")
    );
    println!(
        "  memory    {:.0} KiB a connection that is idle, {:.0} KiB a busy one; {:.0} lost connections, {:.0} errors",
        at("/idle_kib_per_connection"),
        at("/busy_kib_per_connection"),
        at("/lost_connections"),
        at("/errors")
    );
}
