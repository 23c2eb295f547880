//! `retrace demo`: three weeks of made-up traffic through the HTTP interface, so that everything has something to show.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use runtime::Settings;
use tokio::task::JoinSet;
use traffic::{DAY, Incident, Shape, Trace, Traffic, Waste, mix, rfc3339};

use super::door::Door;
use crate::cli::DemoOptions;

const TAG: &str = "demo";
const PROJECTS: usize = 4;
const NAMES: usize = 24;
const MODELS: usize = 14;
const INCIDENTS: usize = 11;
/// Of each kind of waste.
const WASTE: u64 = 120;

/// What was sent.
#[derive(Default)]
struct Sent {
    traces: u64,
    spans: u64,
    verdicts: u64,
    /// Of the last write of each connection.
    positions: Vec<String>,
}

pub async fn run(settings: &Settings, options: DemoOptions) -> anyhow::Result<()> {
    let door = Arc::new(Door::new(settings, &options.server, Duration::MAX)?.with_secret_of(settings, &options.server));
    let now = (time::OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000) as i64;
    let traffic = Arc::new(Traffic::new(shape(&options, now)));
    let what = format!("{} traces of {} days to {}", count(&traffic), options.days, door.base);
    say(&format!("{what}{}", if door.is_counted() { ", as fast as its rate limit allows" } else { "" }));
    let started = Instant::now();
    let sent = fill(&door, &traffic, options.connections).await?;
    let took = started.elapsed();
    let found = door.get(&format!("traces?tag={TAG}&limit=1&count=exact"), &sent.positions).await?;
    say(&format!("{}; {} are found", summary(&sent, took), found["total"]));
    say(&look_at(&door.base, traffic.incidents()));
    Ok(())
}

fn shape(options: &DemoOptions, now: i64) -> Shape {
    Shape {
        seed: options.seed,
        until: now,
        days: options.days,
        traces: options.traces,
        projects: PROJECTS,
        names: NAMES,
        models: MODELS,
        incidents: INCIDENTS,
        tag: TAG.to_owned(),
    }
}

/// Planted waste, then the traffic.
fn count(traffic: &Traffic) -> u64 {
    WASTE * Waste::ALL.len() as u64 + traffic.traces()
}

fn trace(traffic: &Traffic, index: u64) -> Trace {
    let kinds = Waste::ALL.len() as u64;
    match index.checked_sub(WASTE * kinds) {
        Some(index) => traffic.trace(index),
        None => {
            let (shape, kind) = (traffic.shape(), Waste::ALL[(index % kinds) as usize]);
            // Those of another day are others.
            kind.trace(mix(shape.seed, shape.today() as u64), index / kinds, shape.today() - 2 * DAY, TAG)
        }
    }
}

/// Each connection takes the next trace, posts it, and takes the next.
async fn fill(door: &Arc<Door>, traffic: &Arc<Traffic>, connections: usize) -> anyhow::Result<Sent> {
    let style = ProgressStyle::with_template("[{bar:30}] {human_pos}/{human_len} traces, {per_sec}, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(count(traffic)).with_style(style);
    let next = Arc::new(AtomicU64::new(0));
    let mut running = JoinSet::new();
    for _ in 0..connections.max(1) {
        let (door, traffic, next, bar) = (Arc::clone(door), Arc::clone(traffic), Arc::clone(&next), bar.clone());
        running.spawn(async move { connection(&door, &traffic, &next, &bar).await });
    }
    let mut all = Sent::default();
    while let Some(ended) = running.join_next().await {
        let sent = ended??;
        all.traces += sent.traces;
        all.spans += sent.spans;
        all.verdicts += sent.verdicts;
        all.positions.extend(sent.positions);
    }
    bar.finish();
    Ok(all)
}

async fn connection(door: &Door, traffic: &Traffic, next: &AtomicU64, bar: &ProgressBar) -> anyhow::Result<Sent> {
    let mut sent = Sent::default();
    let mut judged = Vec::new();
    loop {
        let index = next.fetch_add(1, Ordering::Relaxed);
        if index >= count(traffic) {
            break;
        }
        let trace = trace(traffic, index);
        bar.inc(1);
        if trace.ended_at.unwrap_or(trace.started_at) > traffic.shape().until {
            continue;
        }
        sent.positions = vec![door.post("traces", trace.to_json()?).await?];
        sent.traces += 1;
        sent.spans += trace.span_count as u64;
        if trace.feedback.is_some() || trace.golden {
            judged.push(Trace { spans: Vec::new(), ..trace });
        }
    }
    // These writes wait for their trace to be visible, which takes the less the more of them are there already.
    for trace in judged {
        sent.verdicts += judge(door, &trace).await?;
    }
    Ok(sent)
}

/// Feedback that was given before is left as it is: a second time would be a change.
async fn judge(door: &Door, trace: &Trace) -> anyhow::Result<u64> {
    let id = &trace.id;
    if trace.golden {
        door.post(&format!("traces/{id}/golden"), br#"{"golden":true}"#.to_vec()).await?;
    }
    let Some(feedback) = &trace.feedback else { return Ok(0) };
    let path = format!("traces/{id}/feedback");
    let given = door.get(&path, &[]).await.context("the feedback of a trace that was just sent")?;
    if given["feedback"].is_null() {
        door.post(&path, serde_json::to_vec(feedback)?).await?;
    }
    Ok(1)
}

fn summary(sent: &Sent, took: Duration) -> String {
    let Sent { traces, spans, verdicts, .. } = sent;
    let seconds = took.as_secs_f64();
    let rate = *spans as f64 / seconds;
    format!("{traces} traces with {spans} spans and {verdicts} verdicts in {seconds:.1} s, {rate:.0} spans/s")
}

fn look_at(base: &str, incidents: &[Incident]) -> String {
    let curl = |path: &str| format!("  curl '{base}/api/v1/{path}' -H \"x-retrace-key: $RETRACE_API_KEY\"\n");
    let planted: String = incidents.iter().map(line).collect();
    format!(
        "\nAll of them have the tag `{TAG}`. What happened in them:\n\n{planted}\nLook at it:\n\n{}{}{}{}{}{}{}",
        curl(&format!("traces?tag={TAG}&status=failed&limit=5")),
        curl(&format!("traces?tag={TAG}&sort=-total_cost&limit=5")),
        curl(&format!("analytics/costs?tag={TAG}&group_by=name")),
        curl(&format!("analytics/cost-intelligence?tag={TAG}")),
        curl("insights/drift?by=name"),
        curl("insights/failures"),
        curl("insights/anomalies/backtest"),
    )
}

fn line(incident: &Incident) -> String {
    let Incident { kind, project, name, from, to, factor, .. } = incident;
    let kind = serde_json::to_value(kind).ok().and_then(|kind| kind.as_str().map(str::to_owned)).unwrap_or_default();
    let place = name.as_ref().map_or_else(|| project.clone(), |name| format!("{project}, {name}"));
    let minute = |time: i64| rfc3339(time).get(..16).unwrap_or_default().replace('T', " ");
    format!("  {kind:<14} × {factor:<4} {} – {} UTC  {place}\n", minute(*from), minute(*to))
}

#[expect(clippy::print_stdout, reason = "the command line talks to its user")]
fn say(text: &str) {
    println!("{text}");
}
