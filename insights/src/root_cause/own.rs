//! The cause of a failure that no failure below it explains: what it says of itself, and what of its parts stands out.

use super::answer::Kind;
use super::baseline::Baseline;
use super::failures::Failures;
use super::graph::Graph;
use super::words::words;
use super::{deadline, models, repeats, trail};

/// By what a span was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// It failed, and nothing below it did.
    Failed,
    /// A model's step made what failed later.
    Made,
    /// It used up the time.
    Slow,
    /// It was done again and again.
    Repeated,
    /// Its output is empty.
    Empty,
    /// It never ended.
    Unfinished,
    /// The error names it.
    Named,
    /// It was at work at last.
    Last,
    /// Successful runs go on in another way.
    Parting,
    /// Nothing was found.
    Nothing,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Cause {
    pub cause: Option<usize>,
    pub failed: Option<usize>,
    pub kind: Kind,
    pub ground: Ground,
}

pub(super) struct Look<'a> {
    pub graph: &'a Graph<'a>,
    pub failures: &'a Failures,
    pub baseline: &'a Baseline<'a>,
}

pub(super) fn explain(look: &Look<'_>, scope: Option<usize>, above: Option<usize>) -> Cause {
    let kind = kind_of(look, scope);
    let by = |cause, ground| Cause { cause: Some(cause), failed: scope.or(Some(cause)), kind, ground };
    let found = match kind {
        Kind::Timeout => deadline::slowest(look, scope).map(|cause| by(cause, Ground::Slow)),
        Kind::Loop => repeats::most_repeated(look, around(look, scope), true).map(|cause| by(cause, Ground::Repeated)),
        Kind::EmptyOutput | Kind::MalformedOutput | Kind::BadArguments => models::maker(look, scope, kind),
        Kind::Cancelled => called_off(look, scope, above).or_else(|| unfinished(look, scope, kind)),
        Kind::ResourceExhausted => unfinished(look, scope, kind),
        Kind::Unknown | Kind::ToolError if is_parser(look, scope) => models::maker(look, scope, Kind::MalformedOutput),
        Kind::Unknown | Kind::RetriesExhausted => is_wrapper(look, scope).then(|| unsaid(look, scope, kind)).flatten(),
        _ => None,
    };
    let suspect = || match kind {
        Kind::Unknown | Kind::RetriesExhausted => None,
        _ => is_wrapper(look, scope).then(|| trail::suspect(look, scope, kind)).flatten(),
    };
    let ground = if scope.is_some() { Ground::Failed } else { Ground::Nothing };
    found.or_else(suspect).unwrap_or(Cause { cause: scope, failed: scope, kind, ground })
}

fn unfinished(look: &Look<'_>, scope: Option<usize>, kind: Kind) -> Option<Cause> {
    let cause = deadline::unfinished(look, scope);
    cause.map(|cause| Cause { cause: Some(cause), failed: Some(cause), kind, ground: Ground::Unfinished })
}

/// What was called off because something beside it, or itself, had used up the time of what they are in.
fn called_off(look: &Look<'_>, scope: Option<usize>, above: Option<usize>) -> Option<Cause> {
    let failed = scope.and(above)?;
    if look.failures.kind(failed) != Kind::Unknown {
        return None;
    }
    let cause = deadline::slowest(look, Some(failed)).filter(|cause| deadline::is_far_too_slow(look, *cause))?;
    Some(Cause { cause: Some(cause), failed: Some(failed), kind: Kind::Timeout, ground: Ground::Slow })
}

/// A step that reads what a model gave, and whose failure does not clearly tell of something else.
fn is_parser(look: &Look<'_>, scope: Option<usize>) -> bool {
    const NAMES: [&str; 6] = [" pars", " valid", " extract", " decod", " deserial", " format"];
    let Some(place) = scope.filter(|_| !is_wrapper(look, scope)) else { return false };
    let name = words(&look.graph.spans[place].name);
    look.failures.said(scope).told.weight < 2
        && !look.graph.spans[place].is_call()
        && NAMES.iter().any(|part| name.contains(part))
}

/// What can be seen where the failure's own words do not lead to a span.
fn unsaid(look: &Look<'_>, scope: Option<usize>, kind: Kind) -> Option<Cause> {
    let found = |cause, ground, own| {
        let kind = if kind == Kind::Unknown { own } else { kind };
        Cause { cause: Some(cause), failed: Some(cause), kind, ground }
    };
    if let Some(cause) = deadline::unfinished(look, scope) {
        return Some(found(cause, Ground::Unfinished, Kind::Unfinished));
    }
    if let Some(cause) = trail::named(look, scope, None) {
        return Some(found(cause, Ground::Named, Kind::Unknown));
    }
    if let Some(cause) = models::last_empty(look, scope) {
        return Some(found(cause, Ground::Empty, Kind::EmptyOutput));
    }
    if let Some(cause) = repeats::most_repeated(look, scope, false) {
        return Some(found(cause, Ground::Repeated, Kind::Loop));
    }
    if scope.is_some() {
        return None;
    }
    if let Some(parting) = look.baseline.parting(look.graph, look.failures) {
        // A call that no run has is where they part, unless they parted more than a call before.
        let unexpected = parting
            .found
            .filter(|found| parting.expected.is_none() || parting.after.is_none_or(|after| *found <= after + 2));
        if let Some(cause) = unexpected {
            return Some(found(cause, Ground::Parting, Kind::Divergence));
        }
        if let Some(cause) = parting.after {
            return Some(found(cause, Ground::Parting, Kind::MissingStep));
        }
    }
    trail::last(look, scope, None).map(|cause| found(cause, Ground::Last, Kind::Unknown))
}

/// A tool whose words say nothing has failed by itself; of what has parts, a hint says nothing.
fn kind_of(look: &Look<'_>, scope: Option<usize>) -> Kind {
    let told = look.failures.said(scope).told;
    let is_tool = scope.is_some_and(|place| look.graph.spans[place].span_type.starts_with("tool"));
    match told.kind {
        _ if is_wrapper(look, scope) && told.weight < 2 => Kind::Unknown,
        Kind::Unknown if is_tool => Kind::ToolError,
        kind => kind,
    }
}

fn is_wrapper(look: &Look<'_>, scope: Option<usize>) -> bool {
    scope.is_none_or(|place| !look.graph.children[place].is_empty())
}

/// A step that has no parts speaks of those beside it.
fn around(look: &Look<'_>, scope: Option<usize>) -> Option<usize> {
    if is_wrapper(look, scope) { scope } else { scope.and_then(|place| look.graph.parents[place]) }
}
