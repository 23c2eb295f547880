//! What a model is shown of a failed trace: the steps that tell most, each text by its beginning and without secrets.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::answer::Analysis;
use super::graph::Graph;
use super::input::{Span, Trace};
use crate::secrets::mask;

const MOST_STEPS: usize = 40;
/// Characters of a text, of a step in question and of another.
const LONG: usize = 1_500;
const SHORT: usize = 300;
/// Characters of all texts together.
const ALL_TEXTS: usize = 20_000;
/// Of names and models.
const NAME: usize = 120;

#[derive(Clone, Debug, PartialEq)]
pub struct Excerpt {
    pub trace_name: String,
    pub error: Option<String>,
    /// What the local analysis says.
    pub suspicion: String,
    pub suspected_step: Option<usize>,
    /// In the order of their starts, numbered from 1.
    pub steps: Vec<Shown>,
    /// Spans that are not shown.
    pub left_out: usize,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shown {
    pub number: usize,
    pub span_id: String,
    /// The step that it is part of.
    pub inside: Option<usize>,
    /// `<span type>: <name>`
    pub step: String,
    pub model: Option<String>,
    pub failed: bool,
    pub duration_us: Option<i64>,
    pub tokens: i64,
    pub error: Option<String>,
    pub input: Option<String>,
    pub output: Option<String>,
}

/// It does not depend on the order of the spans.
pub fn excerpt(trace: &Trace, analysis: &Analysis) -> Excerpt {
    let graph = Graph::of(trace);
    let mut left = ALL_TEXTS;
    let error = trace.error.as_deref().map(|text| cut(text, LONG, &mut left));
    let suspicion = cut(&analysis.root_cause, LONG, &mut left);
    let (ranked, telling) = ranked(&graph, analysis);
    let mut shown: BTreeMap<usize, Shown> = BTreeMap::new();
    for place in ranked {
        let length = if telling.contains(&place) { LONG } else { SHORT };
        shown.insert(place, step(graph.spans[place], length, &mut left));
    }
    let numbers: HashMap<usize, usize> = shown.keys().enumerate().map(|(n, place)| (*place, n + 1)).collect();
    for (place, step) in &mut shown {
        step.number = numbers.get(place).copied().unwrap_or_default();
        step.inside = graph.ancestors(*place).find_map(|above| numbers.get(&above).copied());
    }
    let suspect = analysis.evidence.cause.as_ref().or(analysis.evidence.failed.as_ref());
    let suspected_step = shown.values().find(|step| Some(&step.span_id) == suspect).map(|step| step.number);
    let left_out = graph.spans.len() - shown.len();
    let trace_name = head(&trace.name, NAME).to_owned();
    Excerpt { trace_name, error, suspicion, suspected_step, steps: shown.into_values().collect(), left_out }
}

/// Places in the order of what they tell, and those that are in question.
fn ranked(graph: &Graph<'_>, analysis: &Analysis) -> (Vec<usize>, HashSet<usize>) {
    let evidence = &analysis.evidence;
    let mut places: HashMap<&str, usize> = HashMap::with_capacity(graph.spans.len());
    for (place, span) in graph.spans.iter().enumerate() {
        places.entry(&span.id).or_insert(place);
    }
    let of = |id: &String| places.get(id.as_str()).copied();
    let parting = evidence.comparison.as_ref().and_then(|comparison| comparison.parting.as_ref());
    let parted = parting.into_iter().flat_map(|parting| [&parting.after, &parting.found]).flatten();
    let named = [&evidence.cause, &evidence.failed].into_iter().flatten().chain(evidence.chain.iter().take(10));
    let mut ranked: Vec<usize> = named.chain(parted).filter_map(of).collect();
    let telling: HashSet<usize> = ranked.iter().copied().collect();
    let around = ranked.first().copied();
    let count = graph.spans.len();
    let failures: Vec<usize> = (0..count).filter(|place| graph.spans[*place].has_failed()).collect();
    ranked.extend(failures.iter().take(10).chain(failures.iter().rev().take(5)));
    if let Some(at) = around {
        ranked.extend((at.saturating_sub(6)..at).rev().chain(at + 1..(at + 4).min(count)));
    }
    ranked.extend((0..count).rev().take(8).chain(0..count));
    let mut seen = HashSet::new();
    ranked.retain(|place| seen.insert(*place));
    ranked.truncate(MOST_STEPS);
    (ranked, telling)
}

fn step(span: &Span, length: usize, left: &mut usize) -> Shown {
    let mut text = |text: &Option<String>| text.as_deref().map(|text| cut(text, length, left));
    Shown {
        span_id: span.id.clone(),
        step: mask(head(&format!("{}: {}", span.span_type, span.name), NAME)).into_owned(),
        model: span.model.as_deref().map(|model| head(model, NAME).to_owned()),
        failed: span.has_failed(),
        duration_us: span.duration(),
        tokens: span.tokens(),
        error: text(&span.error),
        output: text(&span.output),
        input: text(&span.input),
        ..Shown::default()
    }
}

/// Masked before it is cut: the half of a secret has not its form.
fn cut(text: &str, length: usize, left: &mut usize) -> String {
    let masked = mask(text);
    let kept = head(&masked, length.min(*left));
    *left -= kept.chars().count();
    if kept.len() < masked.len() { format!("{kept}…") } else { kept.to_owned() }
}

fn head(text: &str, characters: usize) -> &str {
    text.char_indices().nth(characters).map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests {
    use super::super::analyse;
    use super::*;

    fn span(n: usize, failed: bool) -> Span {
        Span {
            id: format!("s{n}"),
            parent_id: (n > 0).then(|| "s0".to_owned()),
            span_type: "tool_call".to_owned(),
            name: format!("step {n}"),
            started_at: Some(n as i64 * 1_000),
            duration_us: Some(10),
            failed,
            error: failed.then(|| format!("refused: sk-abcdefghijklmnopqrstuvwxyz {}", "long ".repeat(2_000))),
            input: Some(format!("{n} {}", "i".repeat(5_000))),
            output: Some("ö".repeat(5_000)),
            ..Span::default()
        }
    }

    fn trace(count: usize, failing: &[usize]) -> Trace {
        let spans = (0..count).map(|n| span(n, failing.contains(&n))).collect();
        Trace { name: "agent".to_owned(), failed: true, error: Some("it failed".to_owned()), spans, ..Trace::default() }
    }

    fn characters(excerpt: &Excerpt) -> usize {
        let of = |step: &Shown| {
            [&step.error, &step.input, &step.output].into_iter().flatten().map(|t| t.chars().count()).sum::<usize>()
        };
        excerpt.steps.iter().map(of).sum()
    }

    #[test]
    fn a_long_trace_is_shown_in_bounds_around_its_failure() {
        let mut trace = trace(5_000, &[0, 4_999]);
        let shown = excerpt(&trace, &analyse(&trace, &[]));
        assert_eq!((shown.steps.len(), shown.left_out), (MOST_STEPS, 5_000 - MOST_STEPS));
        assert!(characters(&shown) <= ALL_TEXTS + 3 * MOST_STEPS, "{}", characters(&shown));
        let evidence = analyse(&trace, &[]).evidence;
        assert_eq!(shown.steps[shown.suspected_step.unwrap() - 1].span_id, evidence.cause.unwrap());
        let suspected = shown.steps.iter().find(|step| step.span_id == "s4999").unwrap();
        assert!(suspected.error.as_ref().unwrap().starts_with("refused: <key> long"), "{suspected:?}");
        assert!(suspected.input.as_ref().unwrap().chars().count() > SHORT + 1);
        assert_eq!(suspected.inside, Some(1));
        for id in ["s0", "s1", "s4993", "s4998"] {
            assert!(shown.steps.iter().any(|step| step.span_id == id), "{id}");
        }
        trace.spans.reverse();
        assert_eq!(excerpt(&trace, &analyse(&trace, &[])), shown);
    }

    #[test]
    fn a_trace_without_spans_has_its_error() {
        let trace = trace(0, &[]);
        let shown = excerpt(&trace, &analyse(&trace, &[]));
        assert_eq!((shown.error.as_deref(), shown.steps.len(), shown.suspected_step), (Some("it failed"), 0, None));
    }
}
