//! Calls that are done again and again.

use std::collections::HashMap;

use super::attempts::base;
use super::input::{Asked, Span};
use super::own::Look;

/// Fewer repetitions are a loop only where the failure says so.
const MOST: usize = 4;
const FEWEST: usize = 3;

/// The first of the calls below a scope that are repeated most: with the same input, or, where the failure speaks of a
/// loop, more often than in successful runs.
pub(super) fn most_repeated(look: &Look<'_>, scope: Option<usize>, said: bool) -> Option<usize> {
    let spans = &look.graph.spans;
    let mut same: HashMap<(&str, &str, Asked<'_>), (usize, usize)> = HashMap::new();
    let mut alike: HashMap<(&str, &str), (usize, usize)> = HashMap::new();
    for place in look.graph.below(scope) {
        let span = spans[place];
        let name = base(&span.name);
        if look.failures.has_failed(place) && !said {
            continue;
        }
        if let Some(asked) = span.asked().filter(|(input, _)| !input.is_empty()) {
            same.entry((&span.span_type, name, asked)).or_insert((place, 0)).1 += 1;
        }
        if span.is_call() {
            alike.entry((&span.span_type, name)).or_insert((place, 0)).1 += 1;
        }
    }
    let beyond = |place: usize, count: usize| look.baseline.most(spans[place]).is_none_or(|most| count > most);
    let needed = if said { FEWEST } else { MOST };
    // A tool is what an agent does; its model's steps are in between.
    let rank = |(place, count): &(usize, usize)| (!spans[*place].is_llm(), *count, std::cmp::Reverse(*place));
    let same = same.into_values().filter(|(place, count)| *count >= needed && beyond(*place, *count)).max_by_key(rank);
    let alike = || {
        let often = alike.into_values().filter(|(place, count)| said && *count >= FEWEST && beyond(*place, *count));
        often.max_by_key(rank)
    };
    same.or_else(alike).map(|(place, _)| place)
}

/// How often a call is there with the same input.
pub(super) fn count(look: &Look<'_>, place: usize) -> usize {
    let span = look.graph.spans[place];
    let is_same = |other: &&&Span| {
        other.span_type == span.span_type && base(&other.name) == base(&span.name) && other.asked() == span.asked()
    };
    if span.input.is_none() { 1 } else { look.graph.spans.iter().filter(is_same).count() }
}
