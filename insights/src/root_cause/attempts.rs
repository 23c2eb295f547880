//! Which calls are attempts at the same thing, and which are the same call again.

use std::collections::HashMap;

use super::failures::Failures;
use super::graph::Graph;
use super::input::Asked;

pub(super) struct Attempts {
    /// Of a failed span: a later attempt at the same succeeded.
    recovered: Vec<bool>,
    /// Of a failed span: the attempts that failed in a row with it, in the order of their starts.
    rows: Vec<Vec<usize>>,
    row_of: Vec<usize>,
}

/// Its parent, type, name and question.
type Attempt<'a> = (Option<usize>, &'a str, &'a str, Option<Asked<'a>>);

impl Attempts {
    pub fn of(graph: &Graph<'_>, failures: &Failures) -> Attempts {
        let mut calls: HashMap<(Option<usize>, &str, &str), Vec<usize>> = HashMap::new();
        // Of the same call, and of the same question to another model: when a successful one started.
        let mut succeeded: HashMap<Attempt<'_>, i64> = HashMap::new();
        for (place, span) in graph.spans.iter().enumerate() {
            let (parent, name) = (graph.parents[place], base(&span.name));
            calls.entry((parent, &span.span_type, name)).or_default().push(place);
            let Some(start) = span.start().filter(|_| !failures.has_failed(place) && span.end().is_some()) else {
                continue;
            };
            let mut note = |name, asked| {
                let latest = succeeded.entry((parent, &span.span_type, name, asked)).or_insert(start);
                *latest = start.max(*latest);
            };
            note(name, span.asked());
            if span.is_llm() && span.input.is_some() {
                note("", span.asked());
            }
        }
        let mut attempts = Attempts {
            recovered: vec![false; graph.spans.len()],
            rows: Vec::new(),
            row_of: vec![0; graph.spans.len()],
        };
        for place in (0..graph.spans.len()).filter(|place| failures.has_failed(*place)) {
            let span = graph.spans[place];
            let Some(end) = span.end().or(span.start()) else { continue };
            let later = |name, asked| {
                succeeded.get(&(graph.parents[place], &span.span_type, name, asked)).is_some_and(|start| *start >= end)
            };
            let (name, asked) = (base(&span.name), span.asked());
            attempts.recovered[place] =
                later(name, asked) || (asked.is_some() && (later(name, None) || later("", asked)));
        }
        let mut families: Vec<Vec<usize>> = calls.into_values().collect();
        families.sort_unstable();
        let last_call = last_calls(graph, failures);
        for family in families {
            attempts.add_rows(graph, failures, &last_call, &family);
        }
        attempts
    }

    fn add_rows(&mut self, graph: &Graph<'_>, failures: &Failures, last_call: &[Option<i64>], family: &[usize]) {
        let mut before: Option<usize> = None;
        for &place in family {
            if !failures.has_failed(place) {
                // Another question's success does not part two attempts at this one.
                before = before.filter(|before| graph.spans[*before].asked() != graph.spans[place].asked());
                continue;
            }
            let joins = before.filter(|before| {
                let (first, second) = (graph.spans[*before], graph.spans[place]);
                let same = first.input.is_some() && first.asked() == second.asked();
                let may_be = first.input.is_none() || second.input.is_none();
                let between = || last_call[place].is_some_and(|start| first.end().is_some_and(|end| start >= end));
                let alike = || failures.kind(*before) == failures.kind(place);
                same || ((may_be || alike()) && !between())
            });
            match joins {
                Some(before) => self.row_of[place] = self.row_of[before],
                None => {
                    self.row_of[place] = self.rows.len();
                    self.rows.push(Vec::new());
                }
            }
            self.rows[self.row_of[place]].push(place);
            before = Some(place);
        }
    }

    pub fn is_recovered(&self, place: usize) -> bool {
        self.recovered[place]
    }

    /// Of a failed span.
    pub fn row(&self, place: usize) -> &[usize] {
        self.rows.get(self.row_of[place]).map_or(&[], |row| row)
    }

    /// The one that failed first.
    pub fn first(&self, graph: &Graph<'_>, place: usize) -> usize {
        let row = self.row(place).iter().copied();
        row.min_by_key(|place| (graph.spans[*place].end().unwrap_or(i64::MAX), *place)).unwrap_or(place)
    }
}

/// The start of the last successful call before each span under its parent.
fn last_calls(graph: &Graph<'_>, failures: &Failures) -> Vec<Option<i64>> {
    let mut last: HashMap<Option<usize>, i64> = HashMap::new();
    (0..graph.spans.len())
        .map(|place| {
            let span = graph.spans[place];
            let before = last.get(&graph.parents[place]).copied();
            if let Some(start) = span.start().filter(|_| span.is_call() && !failures.has_failed(place)) {
                last.insert(graph.parents[place], start);
            }
            before
        })
        .collect()
}

/// A name without the number that tells attempts apart.
pub(super) fn base(name: &str) -> &str {
    let base =
        name.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches([' ', '_', '-', '#', '.', ':', '(']);
    if base.is_empty() { name } else { base }
}
