//! Down from the trace's failure to the one that it comes from: at each failed span, which of the failures below explains it.

use std::collections::HashSet;

use super::answer::Kind;
use super::attempts::Attempts;
use super::failures::{Failure, Failures};
use super::graph::Graph;
use super::words::{shared, words};

/// Where the descent ended, and how sure it was of its way.
pub(super) struct Blamed {
    /// None: the trace itself; nothing below explains it.
    pub place: Option<usize>,
    /// What it was found below.
    pub above: Option<usize>,
    /// The smallest lead that a step of the descent had over what it was chosen against.
    pub lead: f64,
    /// Something on the way tells of the same as what it was found below.
    pub told_above: bool,
    /// Another failure at one of the steps was as good, and only later.
    pub rivals: usize,
    /// It looked as if work had gone on after it.
    pub handled: bool,
}

pub(super) fn blame(graph: &Graph<'_>, failures: &Failures, attempts: &Attempts) -> Blamed {
    let mut blamed = Blamed { place: None, above: None, lead: f64::MAX, told_above: false, rivals: 0, handled: false };
    loop {
        let scope = blamed.place;
        let above = failures.said(scope);
        let itself = own_score(above);
        let mut scored: Vec<(f64, i64, usize)> = failures
            .below(scope)
            .iter()
            .filter(|place| !attempts.is_recovered(**place) && !is_victim(above, failures.kind(**place)))
            .map(|place| {
                let ended = graph.spans[*place].end().unwrap_or(i64::MAX);
                (score(graph, failures, above, *place), ended, *place)
            })
            .collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        let Some(&(best, _, place)) = scored.first() else { return blamed };
        if best <= itself {
            blamed.lead = blamed.lead.min(itself - best);
            return blamed;
        }
        let row: HashSet<usize> = attempts.row(place).iter().copied().collect();
        let mut others = scored.iter().filter(|(_, _, other)| !row.contains(other));
        let next = others.next().map_or(itself, |(next, _, _)| next.max(itself));
        blamed.lead = blamed.lead.min(best - next);
        blamed.rivals += usize::from(best == next);
        blamed.handled |= failures.is_handled(graph, place);
        let first = attempts.first(graph, place);
        blamed.told_above |= failures.at(first).is_some_and(|failure| agree(above, failure).is_some_and(|o| o >= 0.5));
        blamed.above = scope;
        blamed.place = Some(first);
    }
}

/// What is called off when time is up did not use it up.
fn is_victim(above: &Failure, kind: Kind) -> bool {
    kind == Kind::Cancelled && above.told.kind == Kind::Timeout
}

/// How much a failure's own text speaks for a cause of its own.
fn own_score(failure: &Failure) -> f64 {
    if !is_clear(failure) || is_consequence(failure.told.kind) { 0.0 } else { 1.0 }
}

/// More than a hint.
fn is_clear(failure: &Failure) -> bool {
    failure.told.weight >= 2
}

/// Different steps call the same failure by these.
fn are_alike(a: Kind, b: Kind) -> bool {
    let family = |kind| match kind {
        Kind::DependencyError => Kind::ProviderError,
        Kind::MalformedOutput => Kind::BadArguments,
        kind => kind,
    };
    family(a) == family(b)
}

/// What other failures end in.
fn is_consequence(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Timeout | Kind::Cancelled | Kind::RetriesExhausted | Kind::Loop | Kind::Unknown | Kind::EmptyOutput
    )
}

fn score(graph: &Graph<'_>, failures: &Failures, above: &Failure, place: usize) -> f64 {
    let Some(failure) = failures.at(place) else { return f64::MIN };
    let mut score = 0.5;
    score += match agree(above, failure) {
        Some(part) if part >= 0.5 => 4.0 * part,
        Some(part) if part < 0.2 && is_clear(above) => -1.0,
        _ => 0.0,
    };
    let (own, other) = (failure.told.kind, above.told.kind);
    if own != Kind::Unknown && are_alike(own, other) {
        score += 1.5;
    } else if is_clear(above) && !is_consequence(other) && own != Kind::Unknown {
        score -= 2.5;
    }
    let name = words(&graph.spans[place].name);
    if name.len() > 5 && above.words.contains(&name) {
        score += 2.0;
    }
    if failures.is_handled(graph, place) {
        score -= 3.0;
    }
    if failures.is_absorbed(place) {
        score -= 1.0;
    }
    score
}

/// The share of telling words in common, in quarters: less of a difference is chance.
fn agree(above: &Failure, failure: &Failure) -> Option<f64> {
    shared(&above.telling, &failure.telling).map(|part| (part * 4.0).floor() / 4.0)
}
