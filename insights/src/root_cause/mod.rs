//! Root cause: which span made a trace fail, and how. Down from the trace's failure, each time to the failure below that
//! explains it; where none does, to what stands out: what used up the time, was repeated, is empty, never ended, or is not
//! as in successful runs of the same name.

mod answer;
mod attempts;
mod baseline;
mod blame;
mod confidence;
mod deadline;
mod excerpt;
mod factors;
mod failures;
mod graph;
mod input;
mod models;
mod outputs;
mod own;
mod repeats;
mod sentences;
mod told;
mod trail;
mod words;

pub use answer::{Analysis, Comparison, Evidence, Kind, LONGEST_CHAIN, Parting};
pub use excerpt::{Excerpt, Shown, excerpt};
pub use input::{Run, Span, Step, Trace};
pub use own::Ground;

use attempts::Attempts;
use baseline::Baseline;
use failures::Failures;
use graph::Graph;
use own::{Cause, Look};

/// Why a trace failed, beside successful runs of the same name. It does not depend on the order of the spans.
pub fn analyse(trace: &Trace, runs: &[Run]) -> Analysis {
    let graph = Graph::of(trace);
    let failures = Failures::of(&graph);
    let attempts = Attempts::of(&graph, &failures);
    let baseline = Baseline::of(runs);
    let look = Look { graph: &graph, failures: &failures, baseline: &baseline };
    let blamed = blame::blame(&graph, &failures, &attempts);
    let mut cause = if is_well(trace, blamed.place) {
        Cause { cause: None, failed: None, kind: Kind::Unknown, ground: Ground::Nothing }
    } else {
        own::explain(&look, blamed.place, blamed.above)
    };
    let retries = blamed.place.map_or(0, |place| attempts.row(place).len().saturating_sub(1));
    let is_understood = failures.said(blamed.place).told.weight > 0;
    if !is_understood && blamed.place.is_some() && cause.cause == blamed.place && retries >= 2 {
        cause.kind = Kind::RetriesExhausted;
    }
    let evidence = evidence(&look, &cause, retries);
    Analysis {
        root_cause: sentences::root_cause(&look, &cause, &evidence),
        failed_step: cause.failed.map_or_else(|| format!("trace: {}", trace.name), |place| graph.step(place)),
        contributing_factors: factors::factors(&look, &attempts, &cause, &evidence),
        suggested_fix: sentences::suggested_fix(&cause, &evidence),
        confidence: confidence::confidence(&cause, &blamed, runs.len(), is_understood),
        evidence,
    }
}

/// Whether nothing is to be explained: what failed in it was got over.
fn is_well(trace: &Trace, blamed: Option<usize>) -> bool {
    !trace.failed && trace.error.is_none() && blamed.is_none()
}

fn evidence(look: &Look<'_>, cause: &Cause, retries: usize) -> Evidence {
    let graph = look.graph;
    let id = |place: usize| graph.spans[place].id.clone();
    let upwards = cause.failed.into_iter().chain(cause.failed.into_iter().flat_map(|place| graph.ancestors(place)));
    Evidence {
        kind: cause.kind,
        ground: cause.ground,
        cause: cause.cause.map(id),
        failed: cause.failed.map(id),
        chain: upwards.take(LONGEST_CHAIN).map(id).collect(),
        retries,
        repeats: cause.cause.map_or(0, |place| repeats::count(look, place)),
        concurrent: cause.failed.map_or(0, |place| factors::concurrent(look, place)),
        comparison: look.baseline.compare(graph, look.failures),
    }
}
