//! The spans as a forest, in an order that does not depend on how they came.

use std::collections::HashMap;

use super::input::{Span, Trace};

/// Spans are named by their places in `spans`, which is in the order of their starts.
pub(super) struct Graph<'a> {
    pub trace: &'a Trace,
    pub spans: Vec<&'a Span>,
    pub parents: Vec<Option<usize>>,
    /// Its parent has not arrived.
    pub orphans: Vec<bool>,
    /// In the order of their starts.
    pub children: Vec<Vec<usize>>,
    /// Parents before their children.
    pub downwards: Vec<usize>,
}

impl<'a> Graph<'a> {
    pub fn of(trace: &'a Trace) -> Graph<'a> {
        let mut spans: Vec<&Span> = trace.spans.iter().collect();
        spans.sort_unstable_by(|a, b| (a.start().unwrap_or(i64::MAX), a).cmp(&(b.start().unwrap_or(i64::MAX), b)));
        let mut places: HashMap<&str, usize> = HashMap::with_capacity(spans.len());
        for (place, span) in spans.iter().enumerate() {
            places.entry(&span.id).or_insert(place);
        }
        let mut parents: Vec<Option<usize>> =
            spans.iter().map(|span| places.get(span.parent_id.as_deref()?).copied()).collect();
        let orphans = spans.iter().zip(&parents).map(|(span, parent)| span.parent_id.is_some() && parent.is_none());
        let orphans: Vec<bool> = orphans.collect();
        cut_circles(&mut parents);
        let mut children = vec![Vec::new(); spans.len()];
        let mut downwards: Vec<usize> = Vec::with_capacity(spans.len());
        for (place, parent) in parents.iter().enumerate() {
            match parent {
                Some(parent) => children[*parent].push(place),
                None => downwards.push(place),
            }
        }
        let mut at = 0;
        while at < downwards.len() {
            downwards.extend_from_slice(&children[downwards[at]]);
            at += 1;
        }
        Graph { trace, spans, parents, orphans, children, downwards }
    }

    /// From a span's parent up to its root.
    pub fn ancestors(&self, place: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(self.parents[place], |at| self.parents[*at])
    }

    /// All spans below one, or all; in the order of their starts.
    pub fn below(&self, scope: Option<usize>) -> Vec<usize> {
        let Some(scope) = scope else { return (0..self.spans.len()).collect() };
        let mut found = self.children[scope].clone();
        let mut at = 0;
        while at < found.len() {
            found.extend_from_slice(&self.children[found[at]]);
            at += 1;
        }
        found.sort_unstable();
        found
    }

    /// When a scope ended, as far as it is known.
    pub fn end_of(&self, scope: Option<usize>) -> Option<i64> {
        match scope {
            Some(scope) => self.spans[scope].end(),
            None => self.trace.ended_at.or_else(|| self.spans.iter().filter_map(|span| span.end()).max()),
        }
    }

    /// Whether some span has an end, so that one without has not ended rather than not said so.
    pub fn says_ends(&self) -> bool {
        self.spans.iter().any(|span| span.end().is_some())
    }

    pub fn step(&self, place: usize) -> String {
        let span = self.spans[place];
        format!("{}: {}", span.span_type, span.name)
    }
}

/// Makes roots of the earliest spans of circles.
fn cut_circles(parents: &mut [Option<usize>]) {
    let mut seen_by = vec![usize::MAX; parents.len()];
    for first in 0..parents.len() {
        let mut at = first;
        while seen_by[at] == usize::MAX {
            seen_by[at] = first;
            match parents[at] {
                Some(parent) => at = parent,
                None => break,
            }
        }
        if seen_by[at] != first || parents[at].is_none() {
            continue;
        }
        // `at` is on a circle that this walk has closed.
        let mut earliest = at;
        let mut next = parents[at];
        while let Some(on) = next.filter(|on| *on != at) {
            earliest = earliest.min(on);
            next = parents[on];
        }
        parents[earliest] = None;
    }
}
