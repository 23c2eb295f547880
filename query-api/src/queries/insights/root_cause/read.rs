//! A failed trace as the analysis looks at it, and the successful ones before it.

use std::collections::HashMap;

use clickhouse::Row;
use insights::root_cause::{Run, Span, Step, Trace};
use runtime::Problem;
use schemas::events::RootCause;
use serde::Deserialize;

use super::super::super::traces::TraceRow;
use crate::heads::Heads;
use crate::stores::{Tenant, down};
use crate::times::{LOOKS_BACK, moment};

/// Of a text its beginning.
const HEAD: u32 = 2_000;
/// Of more spans those that failed are looked at, then the first.
const MOST_SPANS: u64 = 10_000;
const MOST_TEXTS: u64 = 3 * MOST_SPANS;
const RUNS: u64 = 20;
const RUN_STEPS: u64 = 500;

#[derive(Row, Deserialize)]
struct SpanRow {
    span_id: String,
    parent_id: Option<String>,
    span_type: String,
    name: String,
    model: Option<String>,
    started_at: Option<i64>,
    ended_at: Option<i64>,
    duration_us: Option<i64>,
    input_tokens: Option<i64>,
    output_tokens: Option<i64>,
    failed: u8,
}

#[derive(Row, Deserialize)]
struct RunRow {
    trace_id: String,
    total_tokens: i64,
    total_duration_us: i64,
}

#[derive(Row, Deserialize)]
struct StepRow {
    trace_id: String,
    span_type: String,
    name: String,
    duration: Option<i64>,
}

pub async fn trace(tenant: &Tenant, row: &TraceRow) -> Result<Trace, Problem> {
    let rest = format!(
        "ORDER BY failed DESC, ifNull(started_at, toDateTime64('2299-12-31 00:00:00', 6, 'UTC')), span_id LIMIT {MOST_SPANS}"
    );
    let id = &row.trace_id;
    let spans = tenant.select("?fields", "spans", "trace_id = ?", &rest).bind(id).fetch_all::<SpanRow>();
    let texts = Heads::read(tenant, std::slice::from_ref(id), HEAD, MOST_TEXTS);
    let (spans, mut texts) = tokio::try_join!(async { spans.await.map_err(down) }, texts)?;
    let error = texts.take(id, "", "error").map(|head| head.text);
    let spans = spans.into_iter().map(|span| {
        let input = texts.take(id, &span.span_id, "input");
        Span {
            error: texts.take(id, &span.span_id, "error").map(|head| head.text),
            input_hash: input.as_ref().and_then(|input| input.hash),
            input: input.map(|input| input.text),
            output: texts.take(id, &span.span_id, "output").map(|head| head.text),
            id: span.span_id,
            parent_id: span.parent_id,
            span_type: span.span_type,
            name: span.name,
            model: span.model,
            started_at: span.started_at,
            ended_at: span.ended_at,
            duration_us: span.duration_us,
            input_tokens: span.input_tokens,
            output_tokens: span.output_tokens,
            failed: span.failed == 1,
        }
    });
    Ok(Trace {
        spans: spans.collect(),
        name: row.name.clone(),
        failed: true,
        error,
        started_at: Some(row.started_at),
        ended_at: row.ended_at,
    })
}

/// What a model said last.
pub async fn verdict(tenant: &Tenant, trace_id: &str) -> Result<Option<RootCause>, Problem> {
    let condition = "trace_id = ? AND span_id = '' AND field = ?";
    let query = tenant.select("value", "cells", condition, "").bind(trace_id).bind(RootCause::FIELD);
    let kept: Option<String> = query.fetch_optional().await.map_err(down)?;
    kept.map(|text| serde_json::from_str(&text).map_err(Problem::internal)).transpose()
}

/// The last successful traces of the same name and project up to this one.
pub async fn runs(tenant: &Tenant, row: &TraceRow) -> Result<Vec<Run>, Problem> {
    let mut found: Vec<RunRow> = Vec::new();
    // Older than the last look within bounds they are not looked for.
    for back in LOOKS_BACK.into_iter().flatten() {
        let condition = format!(
            "name = ? AND ifNull(project_id, '') = ? AND status = 'completed' AND started_at <= {} AND started_at >= {}",
            moment(row.started_at),
            moment(row.started_at.saturating_sub(back))
        );
        let query = tenant.scan("?fields", "trace_list", &condition, &format!("ORDER BY started_at DESC LIMIT {RUNS}"));
        let query = query.bind(&row.name).bind(row.project_id.as_deref().unwrap_or_default());
        found = query.fetch_all().await.map_err(down)?;
        if found.len() as u64 >= RUNS {
            break;
        }
    }
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<&str> = found.iter().map(|run| run.trace_id.as_str()).collect();
    let columns = "trace_id, toString(span_type) AS span_type, name, \
                   ifNull(duration_us, toUnixTimestamp64Micro(ended_at) - toUnixTimestamp64Micro(started_at)) AS duration";
    let rest = format!(
        "WHERE failed = 0 ORDER BY trace_id, ifNull(started_at, toDateTime64('2299-12-31 00:00:00', 6, 'UTC')), span_id \
         LIMIT {RUN_STEPS} BY trace_id"
    );
    let query = tenant.select(columns, "spans", "trace_id IN ?", &rest).bind(&ids);
    let rows: Vec<StepRow> = query.fetch_all().await.map_err(down)?;
    let mut steps: HashMap<String, Vec<Step>> = HashMap::new();
    for row in rows {
        let step = Step { span_type: row.span_type, name: row.name, duration_us: row.duration };
        steps.entry(row.trace_id).or_default().push(step);
    }
    let runs = found.iter().map(|run| Run {
        steps: steps.remove(&run.trace_id).unwrap_or_default(),
        tokens: run.total_tokens,
        // Without a duration a trace is listed with none above 0.
        duration_us: (run.total_duration_us > 0).then_some(run.total_duration_us),
    });
    Ok(runs.collect())
}
