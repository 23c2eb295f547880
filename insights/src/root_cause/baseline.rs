//! What successful runs of the same name have in common.

use std::collections::HashMap;

use super::answer::{Comparison, Parting};
use super::attempts::base;
use super::failures::Failures;
use super::graph::Graph;
use super::input::{Run, Span, Step};

/// A step belongs to what runs do if so many of them have it.
const SHARE: f64 = 0.8;
/// Fewer runs say nothing of what is missing.
const FEWEST_RUNS: usize = 3;

type Call<'a> = (&'a str, &'a str);

pub(super) struct Baseline<'a> {
    runs: &'a [Run],
    calls: HashMap<Call<'a>, usize>,
    usual: Vec<Usual>,
}

/// How runs do a call.
#[derive(Default)]
struct Usual {
    duration_us: Option<i64>,
    /// The most often that one run does it.
    most: usize,
    /// Of its first time, its second and so on: how far in a run that is, as long as runs do it so often.
    places: Vec<usize>,
}

#[derive(Default)]
struct Seen {
    durations: Vec<i64>,
    places: Vec<Vec<usize>>,
    /// In the run that is looked at.
    run: usize,
    count: usize,
}

impl<'a> Baseline<'a> {
    pub fn of(runs: &'a [Run]) -> Baseline<'a> {
        let mut calls: HashMap<Call<'a>, usize> = HashMap::new();
        let mut seen: Vec<Seen> = Vec::new();
        for (number, run) in runs.iter().enumerate() {
            for (place, step) in run.steps.iter().enumerate() {
                let next = calls.len();
                let call = *calls.entry(of_step(step)).or_insert(next);
                if call == seen.len() {
                    seen.push(Seen::default());
                }
                seen[call].add(number, place, step.duration_us);
            }
        }
        let needed = (runs.len() as f64 * SHARE).ceil() as usize;
        let is_common = |found: &Vec<usize>| runs.len() >= FEWEST_RUNS && found.len() >= needed;
        let usual = seen.into_iter().map(|mut seen| Usual {
            duration_us: median(&mut seen.durations),
            most: seen.places.len(),
            places: seen.places.iter_mut().filter(|found| is_common(found)).filter_map(|found| median(found)).collect(),
        });
        Baseline { runs, calls, usual: usual.collect() }
    }

    fn usual(&self, span: &Span) -> Option<&Usual> {
        self.usual.get(*self.calls.get(&of_span(span))?)
    }

    pub fn has_durations(&self) -> bool {
        self.usual.iter().any(|usual| usual.duration_us.is_some())
    }

    pub fn duration(&self, span: &Span) -> Option<i64> {
        self.usual(span)?.duration_us
    }

    /// None: there are no runs to compare with.
    pub fn most(&self, span: &Span) -> Option<usize> {
        (!self.runs.is_empty()).then(|| self.usual(span).map_or(0, |usual| usual.most))
    }

    pub fn compare(&self, graph: &Graph<'_>, failures: &Failures) -> Option<Comparison> {
        let mut tokens: Vec<i64> = self.runs.iter().map(|run| run.tokens).collect();
        let mut durations: Vec<i64> = self.runs.iter().filter_map(|run| run.duration_us).collect();
        let own = || graph.end_of(None)?.checked_sub(graph.trace.started_at?);
        Some(Comparison {
            runs: self.runs.len(),
            parting: self.parting(graph, failures).map(|parting| Parting {
                after: parting.after.map(|place| graph.spans[place].id.clone()),
                expected: parting.expected,
                found: parting.found.map(|place| graph.spans[place].id.clone()),
            }),
            tokens: graph.spans.iter().fold(0i64, |sum, span| sum.saturating_add(span.tokens())),
            median_tokens: median(&mut tokens)?,
            duration_us: own(),
            median_duration_us: median(&mut durations),
        })
    }

    /// Where the trace leaves the way of the runs: at a call that none of them has, or where one that they have is missing.
    pub fn parting(&self, graph: &Graph<'_>, failures: &Failures) -> Option<Place> {
        if self.runs.len() < FEWEST_RUNS {
            return None;
        }
        let mut counts = vec![0usize; self.usual.len()];
        let mut failed = vec![0usize; self.usual.len()];
        let mut reached: Vec<(usize, usize)> = Vec::new();
        let mut found = None;
        for (place, span) in graph.spans.iter().enumerate() {
            let has_failed = failures.has_failed(place);
            match self.calls.get(&of_span(span)) {
                // An attempt more or less is no other way to go, and a step that failed is not missing.
                Some(&call) if has_failed => failed[call] += 1,
                Some(&call) => {
                    reached.extend(self.usual[call].places.get(counts[call]).map(|at| (*at, place)));
                    counts[call] += 1;
                }
                None if found.is_none() && span.is_call() && !has_failed => found = Some(place),
                None => {}
            }
        }
        let next = |(call, number): (&Call<'a>, &usize)| {
            let done = counts[*number] + failed[*number];
            Some((*self.usual[*number].places.get(done)?, *call))
        };
        let missing = self.calls.iter().filter_map(next).min();
        let last_before =
            |at: usize| reached.iter().filter(|(reached, _)| *reached < at).max().map(|(_, place)| *place);
        match (missing, found) {
            (None, None) => None,
            (None, Some(found)) => Some(Place { after: found.checked_sub(1), expected: None, found: Some(found) }),
            (Some((at, (span_type, name))), found) => {
                Some(Place { after: last_before(at), expected: Some(format!("{span_type}: {name}")), found })
            }
        }
    }
}

/// A parting by places.
pub(super) struct Place {
    pub after: Option<usize>,
    pub expected: Option<String>,
    pub found: Option<usize>,
}

impl Seen {
    fn add(&mut self, run: usize, place: usize, duration_us: Option<i64>) {
        if self.run != run {
            (self.run, self.count) = (run, 0);
        }
        if self.count == self.places.len() {
            self.places.push(Vec::new());
        }
        self.places[self.count].push(place);
        self.count += 1;
        self.durations.extend(duration_us);
    }
}

fn of_span(span: &Span) -> Call<'_> {
    (&span.span_type, base(&span.name))
}

fn of_step(step: &Step) -> Call<'_> {
    (&step.span_type, base(&step.name))
}

fn median<T: Ord + Copy>(values: &mut [T]) -> Option<T> {
    values.sort_unstable();
    values.get(values.len().checked_sub(1)? / 2).copied()
}
