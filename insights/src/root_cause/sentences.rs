//! The answer in words.

use super::answer::{Evidence, Kind};
use super::own::{Cause, Ground, Look};
use crate::failures::message::message;

const LONGEST_QUOTE: usize = 200;

pub(super) fn root_cause(look: &Look<'_>, cause: &Cause, evidence: &Evidence) -> String {
    let sentence = sentence(look, cause, evidence);
    let mut letters = sentence.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn sentence(look: &Look<'_>, cause: &Cause, evidence: &Evidence) -> String {
    let said = quote(look, cause);
    if cause.cause.is_none() && !look.graph.trace.failed && said.is_empty() {
        return "The trace has not failed, and no failure in it was left unhandled.".to_owned();
    }
    let Some(place) = cause.cause else {
        return format!("The trace failed, and no step of it shows why{said}.");
    };
    let step = named(look, place);
    let later = cause.failed.filter(|failed| *failed != place).map(|failed| named(look, failed));
    match (cause.ground, later) {
        (Ground::Slow, later) => {
            let took = look.graph.spans[place]
                .duration()
                .map_or_else(|| "did not end".to_owned(), |us| format!("took {}", seconds(us)));
            let usual = look.baseline.duration(look.graph.spans[place]);
            let usual = usual.map_or_else(String::new, |us| format!(" (usually {})", seconds(us)));
            let what = later.unwrap_or_else(|| "the trace".to_owned());
            format!("{step} {took}{usual} until {what} ran out of time{said}.")
        }
        (Ground::Repeated, _) => {
            let times = if evidence.repeats > 1 {
                format!("{} times with the same input", evidence.repeats)
            } else {
                "again and again".to_owned()
            };
            format!("{step} was called {times}{said}.")
        }
        (Ground::Made, Some(later)) => {
            let made = match cause.kind {
                Kind::BadArguments => "made arguments that",
                Kind::EmptyOutput => "gave an empty output that",
                _ => "gave an output that",
            };
            format!("{step} {made} {later} could not use{said}.")
        }
        (Ground::Parting, _) if cause.kind == Kind::MissingStep => {
            let next = evidence.comparison.as_ref().and_then(|found| found.parting.as_ref()?.expected.clone());
            let next = next.unwrap_or_else(|| "another step".to_owned());
            format!("After {step} the run did not go on with {next}, as successful runs do{said}.")
        }
        (Ground::Last, _) => format!("{step} was at work at last and {}{said}.", happened(cause.kind)),
        _ => format!("{step} {}{said}.", happened(cause.kind)),
    }
}

fn happened(kind: Kind) -> &'static str {
    match kind {
        Kind::RateLimit => "was refused by a rate limit",
        Kind::Timeout => "timed out",
        Kind::ContextOverflow => "was given more than the model's context holds",
        Kind::BadArguments => "was called with arguments that it does not take",
        Kind::Authentication => "was refused for its credentials or rights",
        Kind::ProviderError => "failed at the provider",
        Kind::InvalidRequest => "made a request that is not valid there",
        Kind::ContentFiltered => "was blocked by a content filter",
        Kind::EmptyOutput => "gave an empty output",
        Kind::MalformedOutput => "gave an output that could not be read",
        Kind::Loop => "ran into a limit of repetitions",
        Kind::RetriesExhausted => "failed on every attempt",
        Kind::Cancelled => "was cancelled",
        Kind::MissingStep => "was not followed by what follows in successful runs",
        Kind::Divergence => "is a step that no successful run has",
        Kind::DependencyError => "could not reach or use what it depends on",
        Kind::ToolError => "failed in its own code",
        Kind::ResourceExhausted => "ran out of memory or another resource",
        Kind::Unfinished => "began and never ended",
        Kind::Unknown => "failed, and its error does not tell why",
    }
}

pub(super) fn suggested_fix(cause: &Cause, evidence: &Evidence) -> String {
    match cause.kind {
        Kind::RateLimit if evidence.concurrent > 2 => "Limit how many calls run at once, and retry with exponential backoff",
        Kind::RateLimit => "Retry with exponential backoff that honours the provider's Retry-After",
        Kind::Timeout if cause.ground == Ground::Slow => "Give the slow step a timeout of its own below the whole deadline, and a fallback",
        Kind::Timeout => "Raise the timeout or retry, and find out why the call is slow",
        Kind::ContextOverflow => "Trim or summarise the history and large tool results before the call, or use a model with a larger context",
        Kind::BadArguments => "Describe the tool's parameters by a strict schema, check the model's call against it, and give the error back to the model",
        Kind::Authentication => "Check the key, its rights and its expiry where the step runs",
        Kind::ProviderError => "Retry with backoff, and fall back to another model or provider",
        Kind::InvalidRequest => "Correct the request: the model's name, the parameters and the order of messages",
        Kind::ContentFiltered => "Handle the refusal, and change the prompt or the data that sets the filter off",
        Kind::EmptyOutput => "Check for an empty output and ask again; look at the stop reason and the limit of output tokens",
        Kind::MalformedOutput => "Ask for structured output by a schema, and retry with the parser's error",
        Kind::Loop => "Stop when a call repeats itself, and tell the model what it has already tried",
        Kind::RetriesExhausted => "Look at the error of the first attempt; retry only what can pass",
        Kind::Cancelled => "Find out who cancelled the run: a user, a caller's timeout or a deployment",
        Kind::MissingStep => "Compare the prompt and the input with a successful run, and make the step obligatory",
        Kind::Divergence => "Compare the prompt and the input with a successful run where they part",
        Kind::DependencyError => "Check the service or the database that the step uses, and retry what is transient",
        Kind::ToolError => "Correct the tool's code for this input, and return errors to the model as results",
        Kind::ResourceExhausted => "Give the process more of what ran out, or bound what the step loads",
        Kind::Unfinished => "Look for a crash or a hang in the step, and give it a timeout",
        Kind::Unknown => "Record the error's text in the span, and look at the step's input and output",
    }
    .to_owned()
}

/// "the 3rd tool_call search_web": its place among those of its type.
fn named(look: &Look<'_>, place: usize) -> String {
    let spans = &look.graph.spans;
    let span = spans[place];
    let number = spans[..=place].iter().filter(|other| other.span_type == span.span_type).count();
    let of = spans.iter().filter(|other| other.span_type == span.span_type).count();
    let which = if of > 1 { format!("{} ", ordinal(number)) } else { String::new() };
    let model =
        span.model.as_deref().filter(|model| !model.is_empty()).map_or_else(String::new, |model| format!(" ({model})"));
    format!("the {which}{} {}{model}", span.span_type, span.name)
}

fn ordinal(number: usize) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// What the failed step says, else what the trace does.
fn quote(look: &Look<'_>, cause: &Cause) -> String {
    let own =
        cause.failed.map(|place| look.graph.spans[place]).filter(|span| span.has_failed()).map(|span| span.failure());
    let text = own.or(look.graph.trace.error.as_deref()).unwrap_or_default();
    let message = message(text);
    let line: String = message.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.is_empty() {
        return String::new();
    }
    let cut = &line[..line.floor_char_boundary(LONGEST_QUOTE)];
    let more = if cut.len() < line.len() { "…" } else { "" };
    format!(": \"{cut}{more}\"")
}

pub(super) fn seconds(us: i64) -> String {
    match us {
        ..1_000_000 => format!("{} ms", us / 1000),
        1_000_000..60_000_000 => format!("{:.1} s", us as f64 / 1e6),
        _ => format!("{:.1} min", us as f64 / 6e7),
    }
}
