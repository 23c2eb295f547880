//! Two traces, step by step: all of them are aligned, and of those of a page it is read what differs.

use std::time::{Duration, Instant};

use insights::diff::{Comparison, Pair, Part, Run, Status, compare};
use runtime::Problem;
use runtime::position::Signer;

use super::super::documents::time;
use super::super::payloads::Payloads;
use super::super::rows::{SpanRow, TraceRow};
use super::documents::{Diff, DiffSpan, DiffStep, DiffSummary, Divergence};
use super::read::Traced;
use super::values::{Said, changes};
use crate::cursor::Cursor;
use crate::numbers::Number;
use crate::params::Params;
use crate::state::AppState;
use crate::stores::Tenant;

/// Steps whose payloads are in memory at a time.
const BATCH: usize = 16;
/// A page ends behind the step that fills it.
const FULL: usize = 4 << 20;
/// After that the words of what is left of a page are compared coarsely.
const LONGEST: Duration = Duration::from_secs(1);

/// Which steps are shown.
pub struct Asked {
    limit: usize,
    only_differing: bool,
    /// The step that the page begins at, at the earliest.
    from: usize,
    purpose: String,
}

struct Both {
    a: Traced,
    b: Traced,
    runs: (Run, Run),
}

impl Asked {
    /// `what` names the two, for the cursor.
    pub fn read(params: &mut Params, signer: &Signer, what: &str) -> Asked {
        let limit = params.whole("limit") as usize;
        let only_differing = params.one_of("show").as_deref() == Some("differing");
        let purpose = format!("{what}\0{only_differing}");
        let cursor = Cursor::asked(params, signer, &purpose);
        let from = cursor.and_then(|cursor| cursor.value.parse().ok()).unwrap_or(0);
        Asked { limit, only_differing, from, purpose }
    }
}

/// What differs between two traces that the caller may see.
pub async fn between(
    state: &AppState,
    tenant: &Tenant,
    a: TraceRow,
    b: TraceRow,
    asked: &Asked,
) -> Result<Diff, Problem> {
    let (mut a, mut b) = tokio::try_join!(Traced::read(state, tenant, a), Traced::read(state, tenant, b))?;
    let compared = tokio::task::spawn_blocking(move || {
        let runs = (a.run(), b.run());
        let comparison = compare(&runs.0, &runs.1);
        (Both { a, b, runs }, comparison)
    });
    let (both, Comparison { pairs, first_divergence }) = compared.await.map_err(Problem::internal)?;
    let differs = |pair: &Pair| pair.status != Status::Same || pair.moved;
    let listed: Vec<usize> = (0..pairs.len()).filter(|at| !asked.only_differing || differs(&pairs[*at])).collect();
    let first = listed.partition_point(|at| *at < asked.from);
    let page = &listed[first..listed.len().min(first + asked.limit)];
    let steps = both.steps(tenant, &pairs, page).await?;
    let next = listed.get(first + steps.len());
    Ok(Diff {
        first_divergence: first_divergence.map(|first| Divergence {
            index: first.index as u64,
            span_id: both.span_id(&pairs[first.index]),
            reason: first.reason,
        }),
        next_cursor: next
            .map(|at| Cursor { value: at.to_string(), id: String::new() }.write(&state.signer, &asked.purpose)),
        steps,
        total: listed.len() as u64,
        limit: asked.limit as u64,
        summary: summary(&both, &pairs),
        left_out: both.a.left_out() + both.b.left_out(),
    })
}

impl Both {
    /// Those of the page, as many as fit.
    async fn steps(&self, tenant: &Tenant, pairs: &[Pair], page: &[usize]) -> Result<Vec<DiffStep>, Problem> {
        let deadline = Instant::now() + LONGEST;
        let (mut steps, mut size) = (Vec::with_capacity(page.len()), 0);
        for batch in page.chunks(BATCH) {
            let ids = |traced: &Traced, of: fn(&Pair) -> Option<usize>| -> Vec<String> {
                let has_changed = batch.iter().map(|at| &pairs[*at]).filter(|pair| says_other(pair));
                has_changed.filter_map(of).map(|at| traced.spans[at].span_id.clone()).collect()
            };
            let (in_a, in_b) = (ids(&self.a, |pair| pair.a), ids(&self.b, |pair| pair.b));
            let (mut before, mut after) = tokio::try_join!(
                Payloads::of_spans(tenant, &self.a.row.trace_id, &in_a),
                Payloads::of_spans(tenant, &self.b.row.trace_id, &in_b)
            )?;
            for at in batch {
                let (step, took) = self.step(*at, &pairs[*at], &mut before, &mut after, deadline);
                steps.push(step);
                size += took;
                if size >= FULL {
                    return Ok(steps);
                }
            }
        }
        Ok(steps)
    }

    /// And how large what differs is.
    fn step(
        &self,
        index: usize,
        pair: &Pair,
        before: &mut Payloads,
        after: &mut Payloads,
        deadline: Instant,
    ) -> (DiffStep, usize) {
        let (a, b) = (pair.a.map(|at| &self.a.spans[at]), pair.b.map(|at| &self.b.spans[at]));
        let changes = match (a, b) {
            (Some(one), Some(other)) if pair.status == Status::Changed => {
                let from = Said::of(&self.a.row.trace_id, one, before);
                let to = Said::of(&self.b.row.trace_id, other, after);
                changes(&from, &to, &pair.differs, deadline)
            }
            _ => Default::default(),
        };
        let of = |span: Option<&SpanRow>, figure: fn(&SpanRow) -> Option<i64>| span.and_then(figure);
        let step = DiffStep {
            index: index as u64,
            status: name_of(pair.status),
            differs: pair.differs.iter().map(|part| name_of_part(*part)).collect(),
            moved: pair.moved,
            repeated: pair.repeated,
            original: pair.a.map(|at| span(&self.a.spans[at], at, &self.runs.0)),
            forked: pair.b.map(|at| span(&self.b.spans[at], at, &self.runs.1)),
            cost_delta: delta(a.and_then(|span| span.cost), b.and_then(|span| span.cost)).map(Number::money),
            tokens_delta: delta(of(a, SpanRow::tokens), of(b, SpanRow::tokens)),
            duration_delta_ms: delta(of(a, SpanRow::duration), of(b, SpanRow::duration)).map(Number::milliseconds),
            changes: changes.shown,
            changes_left_out: changes.left_out as u64,
        };
        (step, changes.size)
    }

    fn span_id(&self, pair: &Pair) -> String {
        let of = |at: Option<usize>, traced: &Traced| at.map(|at| traced.spans[at].span_id.clone());
        of(pair.b, &self.b).or_else(|| of(pair.a, &self.a)).unwrap_or_default()
    }
}

/// Whether its payloads are needed.
fn says_other(pair: &Pair) -> bool {
    pair.differs.iter().any(|part| matches!(part, Part::Input | Part::Output | Part::Error))
}

fn span(row: &SpanRow, number: usize, run: &Run) -> DiffSpan {
    DiffSpan {
        number: number as u64,
        span_id: row.span_id.clone(),
        parent_id: row.parent_id.clone(),
        span_type: row.span_type.clone(),
        name: row.name.clone(),
        model: row.model.clone(),
        started_at: row.started_at.map(time),
        duration_ms: row.duration().map(Number::milliseconds),
        input_tokens: row.input_tokens,
        output_tokens: row.output_tokens,
        cost: row.cost.map(Number::money),
        failed: run.steps()[number].error.is_some(),
    }
}

/// What is not known of one counts as nothing, if it is known of the other.
fn delta<T: Default + std::ops::Sub<Output = T>>(a: Option<T>, b: Option<T>) -> Option<T> {
    if a.is_none() && b.is_none() { None } else { Some(b.unwrap_or_default() - a.unwrap_or_default()) }
}

fn summary(both: &Both, pairs: &[Pair]) -> DiffSummary {
    let of = |status| pairs.iter().filter(|pair| pair.status == status).count() as u64;
    let (a, b) = (&both.a.row, &both.b.row);
    DiffSummary {
        cost_delta: Number::money(b.total_cost().0 - a.total_cost().0),
        tokens_delta: b.total_tokens().0 - a.total_tokens().0,
        duration_delta_ms: a.duration().zip(b.duration()).map(|(a, b)| Number::milliseconds(b - a)),
        same: of(Status::Same),
        changed: of(Status::Changed),
        added: of(Status::Added),
        removed: of(Status::Removed),
        moved: pairs.iter().filter(|pair| pair.moved).count() as u64,
    }
}

fn name_of(status: Status) -> &'static str {
    match status {
        Status::Same => "same",
        Status::Changed => "changed",
        Status::Added => "added",
        Status::Removed => "removed",
    }
}

fn name_of_part(part: Part) -> &'static str {
    match part {
        Part::Name => "name",
        Part::Parent => "parent",
        Part::Model => "model",
        Part::Input => "input",
        Part::Error => "error",
        Part::Output => "output",
    }
}
