//! A trace as it is compared: its spans, with the beginnings of what they were given and made.

use insights::diff::{Content, Run, Step};
use runtime::Problem;
use runtime::position::Topic;
use schemas::topics;

use super::super::get::{SPAN_ORDER, find};
use super::super::rows::{SpanRow, TraceRow};
use crate::heads::{Head, Heads};
use crate::state::AppState;
use crate::stores::{Tenant, down};

/// Of more spans the first are compared.
pub const MOST_STEPS: u64 = 10_000;
/// Inputs, outputs and errors.
const MOST_TEXTS: u64 = 3 * MOST_STEPS;
/// Of a longer text the beginning is enough to say how alike two are, and its hash that they are the same.
const HEAD: u32 = 2_000;

pub struct Traced {
    pub row: TraceRow,
    /// In start order.
    pub spans: Vec<SpanRow>,
    heads: Heads,
}

impl Traced {
    /// Whole, also while a flush writes it.
    pub async fn read(state: &AppState, tenant: &Tenant, mut row: TraceRow) -> Result<Traced, Problem> {
        let mut spans = spans_of(tenant, &row.trace_id).await?;
        if spans.len() as u64 != row.span_count.min(MOST_STEPS) {
            let partition = topics::trace_partition(tenant.name(), &row.trace_id, topics::PARTITIONS);
            state.freshness.caught_up(Topic::Telemetry, partition).await?;
            row = find(tenant, &row.trace_id).await?.ok_or_else(|| Problem::not_found("Trace"))?;
            spans = spans_of(tenant, &row.trace_id).await?;
        }
        let heads = Heads::read(tenant, std::slice::from_ref(&row.trace_id), HEAD, MOST_TEXTS).await?;
        Ok(Traced { row, spans, heads })
    }

    /// Hashes texts: no work for a thread that has others to serve.
    pub fn run(&mut self) -> Run {
        let Traced { row, spans, heads } = self;
        Run::new(spans.iter().map(|span| step(&row.trace_id, span, heads)).collect())
    }

    /// Spans that are not compared.
    pub fn left_out(&self) -> u64 {
        self.row.span_count.saturating_sub(self.spans.len() as u64)
    }
}

async fn spans_of(tenant: &Tenant, id: &str) -> Result<Vec<SpanRow>, Problem> {
    let rest = format!("{SPAN_ORDER} LIMIT {MOST_STEPS}");
    tenant.select("?fields", "spans", "trace_id = ?", &rest).bind(id).fetch_all().await.map_err(down)
}

fn step(trace_id: &str, span: &SpanRow, heads: &mut Heads) -> Step {
    let [input, output, error] = said(heads, trace_id, &span.span_id);
    Step {
        id: span.span_id.clone(),
        parent_id: span.parent_id.clone(),
        span_type: span.span_type.clone(),
        name: span.name.clone(),
        model: span.model.clone(),
        input,
        output,
        error,
    }
}

/// Input, output and error of a span, which are taken.
pub fn said(heads: &mut Heads, trace_id: &str, span_id: &str) -> [Option<Content>; 3] {
    let mut content = |field, whole: fn(&str) -> Content| {
        let Head { text, hash } = heads.take(trace_id, span_id, field)?;
        Some(hash.map_or_else(|| whole(&text), |hash| Content::beginning(&text, hash)))
    };
    [content("input", Content::json), content("output", Content::json), content("error", Content::text)]
}
