//! What used up the time.

use super::own::Look;

const FAR: i64 = 4;

/// The span below a scope that took at least half of its time beyond what it takes in successful runs.
pub(super) fn slowest(look: &Look<'_>, scope: Option<usize>) -> Option<usize> {
    let graph = look.graph;
    let whole = match scope {
        Some(place) => excess(look, place, graph.spans[place].end())?,
        None => {
            let started =
                graph.trace.started_at.or_else(|| graph.spans.iter().filter_map(|span| span.start()).min())?;
            graph.end_of(None)?.saturating_sub(started)
        }
    };
    let (mut at, mut most) = (scope, whole);
    loop {
        let below = match at {
            Some(place) => graph.children[place].as_slice(),
            None => &graph.downwards[..graph.parents.iter().filter(|parent| parent.is_none()).count()],
        };
        let end = graph.end_of(at).or(graph.end_of(None));
        let slow = below
            .iter()
            .filter_map(|place| Some((excess(look, *place, end)?, *place)))
            .max_by_key(|(excess, place)| (*excess, std::cmp::Reverse(*place)));
        match slow.filter(|(excess, _)| *excess > 0 && *excess >= most / 2) {
            Some((excess, place)) => (at, most) = (Some(place), excess),
            None => return at.filter(|_| at != scope),
        }
    }
}

/// Many times as slow as in successful runs.
pub(super) fn is_far_too_slow(look: &Look<'_>, place: usize) -> bool {
    let usual = look.baseline.duration(look.graph.spans[place]);
    let excess = excess(look, place, look.graph.end_of(None));
    usual.zip(excess).is_some_and(|(usual, excess)| excess / FAR >= usual.max(1))
}

/// Below a scope, of the spans that have not ended and hold no other such, the one that is at it too long.
pub(super) fn unfinished(look: &Look<'_>, scope: Option<usize>) -> Option<usize> {
    let graph = look.graph;
    if !graph.says_ends() && !look.baseline.has_durations() {
        return None;
    }
    let open = |place: &usize| graph.spans[*place].end().is_none() && !look.failures.has_failed(*place);
    let below = graph.below(scope);
    let mut holds = vec![false; graph.spans.len()];
    for &place in graph.downwards.iter().rev() {
        if let Some(parent) = graph.parents[place] {
            holds[parent] |= holds[place] || open(&place);
        }
    }
    let end = graph.end_of(None);
    below
        .into_iter()
        .filter(|place| open(place) && !holds[*place])
        .max_by_key(|place| (graph.spans[*place].is_call(), excess(look, *place, end), std::cmp::Reverse(*place)))
}

/// A span's time beyond its usual one; of one that has not ended, until its scope has.
fn excess(look: &Look<'_>, place: usize, end: Option<i64>) -> Option<i64> {
    let span = look.graph.spans[place];
    let took = span.duration().or_else(|| Some(end?.saturating_sub(span.start()?)))?;
    Some(took.saturating_sub(look.baseline.duration(span).unwrap_or(0)))
}
