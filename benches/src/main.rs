//! The load bench: posts N spans in traces over HTTP from several connections, waits until all are readable, and prints
//! how fast that was, beside what bare librdkafka does with the same bytes. With `--sockets` it sends frames over WebSockets.

mod bare;
mod body;
mod corpus;
mod drive;
mod live;
mod made_up;
mod metrics;
mod options;
mod probe;
mod processes;
mod report;
mod server;

use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use clap::Parser;
use serde_json::{Value, json};

use crate::body::Plan;
use crate::options::Options;
use crate::processes::Usage;
use crate::server::Server;

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    // Another library may have chosen a provider already; either will do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run(options))
}

async fn run(options: Options) -> anyhow::Result<()> {
    if let Some(sockets) = options.live.sockets {
        let figures = live::run(&options, &Server::new(&options)?, sockets).await?;
        live::print(&figures);
        return keep(&options, &figures);
    }
    let plan = Arc::new(Plan::new(&options)?);
    let server = Arc::new(Server::new(&options)?);
    let metrics_before = metrics::of(&options).await;
    let usage_before = Usage::of(&options.watch);
    let started = Instant::now();
    let probes = probe::start(Arc::clone(&plan), Arc::clone(&server), options.probe_ms);
    let driven = drive::all(&plan, &server, options.connections, started).await;
    let probed = probes.finish().await;
    let driven = driven?;
    let found = server.count(&plan.found_by()).await?;
    let usage = Usage::of(&options.watch).since(&usage_before);
    let metrics = metrics::since(&metrics_before, metrics::of(&options).await);
    let mut figures = json!({
        "label": options.label,
        "load": report::load(&options, &plan, &driven),
        "visible": report::visible(&probed),
        "traces": {"acknowledged": plan.traces() + probed.acknowledged(), "found": found},
        "bodies": report::bodies(&plan)?,
        "incidents": plan.incidents(),
        "cpu": usage.json(),
        "metrics": metrics,
    });
    if let Some(brokers) = options.kafka.clone() {
        let plan = Arc::clone(&plan);
        let bare = tokio::task::spawn_blocking(move || bare::run(&brokers, &plan)).await??;
        figures["bare"] = bare.json(&driven);
    }
    report::print(&figures);
    keep(&options, &figures)
}

fn keep(options: &Options, figures: &Value) -> anyhow::Result<()> {
    if let Some(path) = &options.json {
        let text = serde_json::to_string_pretty(figures)?;
        std::fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))?;
    }
    Ok(())
}
