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
    durations: HashMap<Call<'a>, i64>,
    /// The most often that one run has the step.
    most: HashMap<Call<'a>, usize>,
    /// How often it is done by then, and how far in a run that is; of steps that runs do.
    places: HashMap<(Call<'a>, usize), usize>,
}

impl<'a> Baseline<'a> {
    pub fn of(runs: &'a [Run]) -> Baseline<'a> {
        let mut durations: HashMap<Call<'a>, Vec<i64>> = HashMap::new();
        let mut most: HashMap<Call<'a>, usize> = HashMap::new();
        let mut places: HashMap<(Call<'a>, usize), Vec<usize>> = HashMap::new();
        for run in runs {
            let mut counts: HashMap<Call<'a>, usize> = HashMap::new();
            for (place, step) in run.steps.iter().enumerate() {
                let call = of_step(step);
                let count = counts.entry(call).or_default();
                places.entry((call, *count)).or_default().push(place);
                *count += 1;
                durations.entry(call).or_default().extend(step.duration_us);
            }
            for (call, count) in counts {
                let most = most.entry(call).or_default();
                *most = count.max(*most);
            }
        }
        let needed = (runs.len() as f64 * SHARE).ceil() as usize;
        let common = |found: &Vec<usize>| runs.len() >= FEWEST_RUNS && found.len() >= needed;
        let median_place = |mut found: Vec<usize>| median(&mut found).unwrap_or(0);
        Baseline {
            runs,
            durations: durations.into_iter().filter_map(|(call, mut all)| Some((call, median(&mut all)?))).collect(),
            most,
            places: places
                .into_iter()
                .filter(|(_, found)| common(found))
                .map(|(step, found)| (step, median_place(found)))
                .collect(),
        }
    }

    pub fn has_durations(&self) -> bool {
        !self.durations.is_empty()
    }

    pub fn duration(&self, span: &Span) -> Option<i64> {
        self.durations.get(&of_span(span)).copied()
    }

    /// None: there are no runs to compare with.
    pub fn most(&self, span: &Span) -> Option<usize> {
        (!self.runs.is_empty()).then(|| self.most.get(&of_span(span)).copied().unwrap_or(0))
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
        let mut counts: HashMap<Call<'_>, usize> = HashMap::new();
        let mut reached: Vec<(usize, usize)> = Vec::new();
        let mut found = None;
        for (place, span) in graph.spans.iter().enumerate().filter(|(place, _)| !failures.has_failed(*place)) {
            let call = of_span(span);
            let count = counts.entry(call).or_default();
            reached.extend(self.places.get(&(call, *count)).map(|at| (*at, place)));
            *count += 1;
            if found.is_none() && span.is_call() && !self.most.contains_key(&call) {
                found = Some(place);
            }
        }
        let missing = self
            .places
            .iter()
            .filter(|((call, done), _)| counts.get(call).is_none_or(|count| count <= done))
            .map(|((call, _), at)| (*at, *call))
            .min();
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
