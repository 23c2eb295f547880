//! Which span an error belongs to that only something above it tells.

use super::answer::Kind;
use super::own::{Cause, Ground, Look};
use super::told::{Role, told};
use super::words::words;

/// The span that an error of a kind speaks of, else the last that may have had it.
pub(super) fn suspect(look: &Look<'_>, scope: Option<usize>, kind: Kind) -> Option<Cause> {
    // Where it belongs to, the words may mean something else.
    let reread = |place: usize| {
        let role = Role::of(&look.graph.spans[place].span_type);
        Some(told(&look.failures.said(scope).words, role).kind).filter(|kind| *kind != Kind::Unknown)
    };
    let cause =
        |place, ground| Cause { cause: Some(place), failed: Some(place), kind: reread(place).unwrap_or(kind), ground };
    let types = types(look, scope, kind);
    named(look, scope, types).map(|place| cause(place, Ground::Named)).or_else(|| {
        // A failed span may have failed by itself, unless a part of it has nothing to show; a trace has not.
        let last = last(look, scope, types).filter(|place| scope.is_none() || is_cut_short(look, scope, *place));
        last.map(|place| cause(place, Ground::Last))
    })
}

/// It has not ended, or has no output where others of its scope have.
fn is_cut_short(look: &Look<'_>, scope: Option<usize>, place: usize) -> bool {
    let spans = &look.graph.spans;
    let alike = |other: &usize| spans[*other].span_type == spans[place].span_type && spans[*other].output.is_some();
    let open = look.graph.says_ends() && spans[place].end().is_none();
    open || (spans[place].output.is_none() && look.graph.below(scope).iter().any(alike))
}

/// What kind of step has such errors.
fn types(look: &Look<'_>, scope: Option<usize>, kind: Kind) -> Option<&'static str> {
    const PROVIDERS: [&str; 14] = [
        "openai",
        "anthropic",
        "claude",
        "gpt",
        "gemini",
        "vertex",
        "bedrock",
        "mistral",
        "litellm",
        "azure",
        "tpm",
        "tokens",
        "model",
        "llm",
    ];
    let said = &look.failures.said(scope).words;
    let of_provider = || said.split(' ').any(|word| PROVIDERS.contains(&word)).then_some("llm_call");
    match kind {
        Kind::ContextOverflow | Kind::ContentFiltered | Kind::ProviderError => Some("llm_call"),
        Kind::ToolError => of_provider().or(Some("tool_call")),
        _ => of_provider(),
    }
}

/// The last span whose name or model the error has.
pub(super) fn named(look: &Look<'_>, scope: Option<usize>, span_type: Option<&str>) -> Option<usize> {
    let said = &look.failures.said(scope).words;
    if said.len() <= 1 {
        return None;
    }
    let graph = look.graph;
    let speaks = |text: &str| {
        let name = words(text);
        name.len() > 5 && said.contains(&name)
    };
    let below = graph.below(scope);
    let calls = || below.iter().copied().filter(|place| graph.spans[*place].is_call());
    let by_name = latest(look, calls().filter(|place| speaks(&graph.spans[*place].name)));
    by_name.or_else(|| {
        let of_type = calls().filter(|place| span_type.is_none_or(|of| graph.spans[*place].span_type == of));
        latest(look, of_type.filter(|place| graph.spans[*place].model.as_deref().is_some_and(speaks)))
    })
}

/// The last call of a type, or of any.
pub(super) fn last(look: &Look<'_>, scope: Option<usize>, span_type: Option<&str>) -> Option<usize> {
    let graph = look.graph;
    let below = graph.below(scope);
    let of_type = |place: &usize| span_type.is_none_or(|of| graph.spans[*place].span_type == of);
    latest(look, below.iter().copied().filter(|place| graph.spans[*place].is_call()).filter(of_type))
        .or_else(|| latest(look, below.iter().copied().filter(|place| graph.children[*place].is_empty())))
}

/// Of several spans: one that has not ended, else one without an output where others have one, else the last to end.
fn latest(look: &Look<'_>, places: impl Iterator<Item = usize>) -> Option<usize> {
    let graph = look.graph;
    places.filter(|place| !look.failures.has_failed(*place)).max_by_key(|place| {
        let span = graph.spans[*place];
        let open = graph.says_ends() && span.end().is_none();
        (open, span.output.is_none(), span.end(), span.start(), *place)
    })
}
