//! The failures of a trace: which spans failed, what their texts tell, and what became of them.

use std::collections::HashMap;
use std::rc::Rc;

use super::answer::Kind;
use super::graph::Graph;
use super::told::{Role, Told, told};
use super::words::{telling, words};

pub(super) struct Failure {
    pub words: String,
    pub telling: Vec<u64>,
    pub told: Told,
}

pub(super) struct Failures {
    /// Of the trace itself: empty where it says nothing.
    pub trace: Rc<Failure>,
    spans: Vec<Option<Rc<Failure>>>,
    /// The failed spans directly below a scope, whatever succeeded in between. The trace's own come last.
    below: Vec<Vec<usize>>,
    /// The start of the last step beside a span, or beside what it is in, that went on with successful calls.
    went_on: Vec<i64>,
    /// Something that the failed span is in has ended well, below the next failed one.
    absorbed: Vec<bool>,
}

impl Failures {
    pub fn of(graph: &Graph<'_>) -> Failures {
        let mut known: HashMap<(&str, Role), Rc<Failure>> = HashMap::new();
        let mut failure = |text, role| {
            let read = || {
                let words = words(text);
                let told = told(&words, role);
                Rc::new(Failure { telling: telling(&words), words, told })
            };
            known.entry((text, role)).or_insert_with(read).clone()
        };
        let trace = failure(graph.trace.error.as_deref().unwrap_or_default(), Role::Other);
        let spans: Vec<Option<Rc<Failure>>> = graph
            .spans
            .iter()
            .map(|span| span.has_failed().then(|| failure(span.failure(), Role::of(&span.span_type))))
            .collect();
        let went_on = went_on(graph, &spans);
        let mut below = vec![Vec::new(); graph.spans.len() + 1];
        let mut scopes = vec![graph.spans.len(); graph.spans.len()];
        let mut absorbed = vec![false; graph.spans.len()];
        for &place in &graph.downwards {
            if let Some(parent) = graph.parents[place] {
                let parent_failed = spans[parent].is_some();
                scopes[place] = if parent_failed { parent } else { scopes[parent] };
                absorbed[place] = !parent_failed && (absorbed[parent] || graph.spans[parent].end().is_some());
            }
            if spans[place].is_some() {
                below[scopes[place]].push(place);
            }
        }
        Failures { trace, spans, below, went_on, absorbed }
    }

    pub fn at(&self, place: usize) -> Option<&Failure> {
        self.spans[place].as_deref()
    }

    pub fn has_failed(&self, place: usize) -> bool {
        self.spans[place].is_some()
    }

    /// What a scope says: a failed span or the trace.
    pub fn said(&self, scope: Option<usize>) -> &Failure {
        scope.and_then(|scope| self.at(scope)).unwrap_or(&self.trace)
    }

    pub fn kind(&self, place: usize) -> Kind {
        self.at(place).map_or(Kind::Unknown, |failure| failure.told.kind)
    }

    pub fn below(&self, scope: Option<usize>) -> &[usize] {
        &self.below[scope.unwrap_or(self.below.len() - 1)]
    }

    /// Whether what the span is part of went on with other calls after it had failed.
    pub fn is_handled(&self, graph: &Graph<'_>, place: usize) -> bool {
        graph.spans[place].end().or(graph.spans[place].start()).is_some_and(|end| self.went_on[place] >= end)
    }

    pub fn is_absorbed(&self, place: usize) -> bool {
        self.absorbed[place]
    }

    pub fn count(&self) -> usize {
        self.spans.iter().flatten().count()
    }
}

fn went_on(graph: &Graph<'_>, failures: &[Option<Rc<Failure>>]) -> Vec<i64> {
    let succeeded = |place: usize| {
        let span = graph.spans[place];
        span.is_call() && failures[place].is_none() && span.end().is_some()
    };
    let mut calls: Vec<bool> = (0..graph.spans.len()).map(succeeded).collect();
    for &place in graph.downwards.iter().rev() {
        if let Some(parent) = graph.parents[place] {
            calls[parent] |= calls[place];
        }
    }
    // The two latest of each family, so that a span's own start can be left out.
    let mut latest = vec![[(i64::MIN, usize::MAX); 2]; graph.spans.len() + 1];
    let family = |place: usize| graph.parents[place].unwrap_or(graph.spans.len());
    for place in (0..graph.spans.len()).filter(|place| calls[*place]) {
        let Some(start) = graph.spans[place].start() else { continue };
        let [first, second] = &mut latest[family(place)];
        if start > first.0 {
            *second = std::mem::replace(first, (start, place));
        } else if start > second.0 {
            *second = (start, place);
        }
    }
    // What an orphan was beside is not known: anything that came later may have gone on from it.
    let last = (0..graph.spans.len()).filter(|place| calls[*place] && graph.children[*place].is_empty());
    let last = last.filter_map(|place| graph.spans[place].start()).max().unwrap_or(i64::MIN);
    let mut went_on = vec![i64::MIN; graph.spans.len()];
    for &place in &graph.downwards {
        let [first, second] = latest[family(place)];
        let beside = match graph.orphans[place] {
            true => last,
            false if first.1 == place => second.0,
            false => first.0,
        };
        let above = graph.parents[place].filter(|parent| failures[*parent].is_none());
        went_on[place] = above.map_or(beside, |above| beside.max(went_on[above]));
    }
    went_on
}
