//! A trace as it is now, in the lines of a tape.

use std::time::{Duration, Instant};

use axum::http::HeaderMap;
use runtime::Problem;
use runtime::http::RequestNames;
use schemas::events::{TapeSnapshot, TapeStep};
use schemas::tapes::{self, MOST_STEPS, StepLine, TraceLine, snapshot_hash};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::cut::{Cutter, without};
use super::documents::TapeRedaction;
use super::figures;
use super::parse::New;
use crate::state::AppState;

/// Spans of one look: each may be long.
const PAGE: usize = 100;
/// Before it is read again.
const PAUSE: Duration = Duration::from_millis(100);

pub struct Snapshot {
    pub trace: TraceLine,
    pub figures: TapeSnapshot,
    /// The trace's, then one a step.
    pub lines: Vec<String>,
    pub steps: Vec<TapeStep>,
    pub redactions: Vec<TapeRedaction>,
    pub redaction_count: usize,
}

#[derive(Deserialize)]
struct Counted {
    span_count: usize,
}

#[derive(Deserialize)]
struct Page {
    spans: Vec<StepLine>,
    next_cursor: Option<String>,
}

/// Without what is not to be public.
pub async fn of(state: &AppState, headers: &HeaderMap, names: &RequestNames, new: &New) -> Result<Snapshot, Problem> {
    let (mut trace, steps) = recorded(state, headers, names, &new.trace_id).await?;
    let mut steps = without(steps, &new.redact.spans)?;
    trace.left_out = i64::try_from(new.redact.spans.len()).unwrap_or(i64::MAX);
    let mut cutter = Cutter::new(&new.redact);
    cutter.trace(&mut trace)?;
    for step in &mut steps {
        cutter.step(step)?;
    }
    let mut lines = vec![tapes::to_line(&trace).map_err(Problem::internal)?];
    for step in &steps {
        lines.push(tapes::to_line(step).map_err(Problem::internal)?);
    }
    let bytes = bytes_of(lines.iter().map(String::as_str));
    within(bytes, state.settings.max_tape_bytes)?;
    let sha256 = snapshot_hash(lines.iter().map(String::as_str));
    Ok(Snapshot {
        figures: figures::of_trace(&trace, sha256, bytes),
        steps: figures::of_steps(&trace, &steps),
        trace,
        lines,
        redaction_count: cutter.count,
        redactions: cutter.listed,
    })
}

/// Of lines with their ends.
pub fn bytes_of<'a>(lines: impl Iterator<Item = &'a str>) -> usize {
    lines.map(|line| line.len() + 1).sum()
}

pub fn within(bytes: usize, most: usize) -> Result<(), Problem> {
    if bytes > most { Err(Problem::bad_request(format!("a tape has at most {most} bytes"))) } else { Ok(()) }
}

/// A flush writes a trace before its spans, and a trace may grow while it is read: then it is read again, for a while.
async fn recorded(
    state: &AppState,
    headers: &HeaderMap,
    names: &RequestNames,
    id: &str,
) -> Result<(TraceLine, Vec<StepLine>), Problem> {
    let deadline = Instant::now() + state.settings.freshness_wait();
    loop {
        let (trace, span_count, read) = trace_of(state, headers, names, id).await?;
        let steps = steps_of(state, headers, names, id, read).await?;
        if steps.len() == span_count {
            return Ok((trace, steps));
        }
        if Instant::now() >= deadline {
            return Err(Problem::unavailable("The trace changes while it is read", 1));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// With how many spans it has, and how long it is.
async fn trace_of(
    state: &AppState,
    headers: &HeaderMap,
    names: &RequestNames,
    id: &str,
) -> Result<(TraceLine, usize, usize), Problem> {
    let path = format!("/api/v1/traces/{id}?spans=false");
    let text: Box<RawValue> = state.ask.read(headers, &names.id, &path, "Trace").await?;
    let trace = serde_json::from_str(text.get()).map_err(Problem::internal)?;
    let Counted { span_count } = serde_json::from_str(text.get()).map_err(Problem::internal)?;
    if span_count > MOST_STEPS {
        return Err(Problem::bad_request(format!("the trace has more than {MOST_STEPS} spans")));
    }
    Ok((trace, span_count, text.get().len()))
}

async fn steps_of(
    state: &AppState,
    headers: &HeaderMap,
    names: &RequestNames,
    id: &str,
    mut read: usize,
) -> Result<Vec<StepLine>, Problem> {
    let (mut steps, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/v1/traces/{id}/spans?limit={PAGE}{cursor}");
        let text: Box<RawValue> = state.ask.read(headers, &names.id, &path, "Trace").await?;
        read += text.get().len();
        // What is left out later has to be read as well; it is bounded in the same way.
        within(read, state.settings.max_tape_bytes.saturating_mul(2))?;
        let page: Page = serde_json::from_str(text.get()).map_err(Problem::internal)?;
        steps.extend(page.spans);
        match page.next_cursor {
            Some(next) if steps.len() <= MOST_STEPS => cursor = format!("&cursor={next}"),
            _ => return Ok(steps),
        }
    }
}
