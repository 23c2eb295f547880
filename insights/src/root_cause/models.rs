//! Failures that a model's step made: arguments or an output that those after it could not use.

use super::answer::Kind;
use super::outputs::{is_broken_json, is_empty};
use super::own::{Cause, Ground, Look};
use super::words::words;

/// The cause of an output or arguments without the right form.
pub(super) fn maker(look: &Look<'_>, scope: Option<usize>, kind: Kind) -> Option<Cause> {
    let graph = look.graph;
    let span = scope.map(|place| graph.spans[place]);
    let is_tool = span.is_some_and(|span| span.span_type.starts_with("tool"));
    if span.is_some_and(|span| span.is_llm()) {
        return None;
    }
    // What is cut is not broken.
    let whole = span.filter(|span| span.input_hash.is_none());
    let broken = whole.and_then(|span| span.input.as_deref()).is_some_and(is_broken_json);
    if is_tool && kind == Kind::MalformedOutput && !broken {
        // What the tool itself was answered.
        return None;
    }
    let kind = if is_tool && broken { Kind::BadArguments } else { kind };
    let cause = match kind {
        Kind::EmptyOutput => last_empty(look, scope).or_else(|| model_before(look, scope)),
        _ => model_before(look, scope),
    }?;
    let maker = graph.spans[cause];
    if is_tool && !speaks_of(maker.output.as_deref(), span.map_or("", |span| &span.name)) {
        return None;
    }
    let kind = if kind == Kind::MalformedOutput && is_empty(maker) { Kind::EmptyOutput } else { kind };
    Some(Cause { cause: Some(cause), failed: scope.or(Some(cause)), kind, ground: Ground::Made })
}

/// What a model answered either calls the tool or was not recorded.
fn speaks_of(output: Option<&str>, tool: &str) -> bool {
    output.is_none_or(|output| words(output).contains(words(tool).trim_end()))
}

/// The last model's step of a scope, if its output is empty; of several in a row the first.
pub(super) fn last_empty(look: &Look<'_>, scope: Option<usize>) -> Option<usize> {
    let graph = look.graph;
    let mut steps = models_before(look, scope);
    steps.retain(|place| !look.failures.has_failed(*place));
    let last = steps.pop().filter(|place| is_empty(graph.spans[*place]))?;
    let before = steps.into_iter().rev().take_while(|place| is_empty(graph.spans[*place]));
    Some(before.last().unwrap_or(last))
}

fn model_before(look: &Look<'_>, scope: Option<usize>) -> Option<usize> {
    models_before(look, scope).into_iter().rfind(|place| !look.failures.has_failed(*place))
}

/// The models' steps within a scope in the order of their ends; else those before it that are nearest in the tree.
fn models_before(look: &Look<'_>, scope: Option<usize>) -> Vec<usize> {
    let graph = look.graph;
    let mut found: Vec<usize> = graph.below(scope).into_iter().filter(|place| graph.spans[*place].is_llm()).collect();
    if found.is_empty()
        && let Some(scope) = scope
    {
        found = nearest(look, scope);
    }
    found.sort_by_key(|place| (graph.spans[*place].end().unwrap_or(i64::MAX), *place));
    found
}

/// Steps that ended before a span began and share the most ancestors with it.
fn nearest(look: &Look<'_>, scope: usize) -> Vec<usize> {
    let graph = look.graph;
    let mut depths: Vec<Option<usize>> = vec![None; graph.spans.len()];
    let path: Vec<usize> = graph.ancestors(scope).collect();
    for (height, place) in path.iter().enumerate() {
        depths[*place] = Some(path.len() - height);
    }
    for &place in &graph.downwards {
        if depths[place].is_none() {
            depths[place] = Some(graph.parents[place].and_then(|parent| depths[parent]).unwrap_or(0));
        }
    }
    let start = graph.spans[scope].start().unwrap_or(i64::MAX);
    let before =
        |place: &usize| graph.spans[*place].is_llm() && graph.spans[*place].end().is_some_and(|end| end <= start);
    let mut found: Vec<usize> = (0..graph.spans.len()).filter(before).collect();
    let deepest = found.iter().map(|place| depths[*place]).max().flatten();
    found.retain(|place| depths[*place] == deepest);
    found
}
