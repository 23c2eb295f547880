//! What contributed to a failure, or would have to be known of it.

use super::answer::{Evidence, Kind};
use super::attempts::Attempts;
use super::input::Span;
use super::own::{Cause, Ground, Look};
use super::sentences::seconds;

/// A wait that doubles is one; so is any of this length.
const BACKOFF_US: i64 = 1_000_000;
/// Beside the median of successful runs, this is much.
const MUCH: i64 = 2;

pub(super) fn factors(look: &Look<'_>, attempts: &Attempts, cause: &Cause, evidence: &Evidence) -> Vec<String> {
    let mut factors = Vec::new();
    if let Some(failed) = cause.failed.filter(|failed| look.failures.has_failed(*failed)) {
        retries(look, attempts, cause, failed, &mut factors);
    }
    if cause.kind == Kind::RateLimit && evidence.concurrent > 1 {
        factors.push(format!("Burst of {} concurrent calls", evidence.concurrent));
    }
    if cause.kind == Kind::ContextOverflow
        && let Some(cause) = cause.cause
    {
        growth(look, cause, &mut factors);
    }
    if evidence.repeats > 1 && cause.ground != Ground::Repeated {
        factors.push(format!("The same call with the same input is there {} times", evidence.repeats));
    }
    let recovered = (0..look.graph.spans.len()).filter(|place| attempts.is_recovered(*place)).count();
    if recovered > 0 {
        factors.push(format!("{recovered} other failed {} passed when tried again", calls(recovered)));
    }
    let row = cause.failed.map_or(0, |place| attempts.row(place).len());
    let on_way = evidence.chain.len();
    let others = look.failures.count().saturating_sub(recovered + row.max(1) + on_way.saturating_sub(1));
    if others > 0 && cause.failed.is_some_and(|failed| look.failures.has_failed(failed)) {
        factors.push(format!("{others} other failed {}", if others == 1 { "step" } else { "steps" }));
    }
    compared(evidence, &mut factors);
    factors
}

fn retries(look: &Look<'_>, attempts: &Attempts, cause: &Cause, failed: usize, factors: &mut Vec<String>) {
    let spans = &look.graph.spans;
    let row = attempts.row(failed);
    let transient = matches!(cause.kind, Kind::RateLimit | Kind::ProviderError | Kind::DependencyError | Kind::Timeout);
    if row.len() < 2 {
        if transient && cause.ground == Ground::Failed {
            factors.push("No retry".to_owned());
        }
        return;
    }
    let waits: Vec<i64> = row
        .windows(2)
        .filter_map(|pair| Some(spans[pair[1]].start()?.saturating_sub(spans[pair[0]].end()?)))
        .filter(|wait| *wait >= 0)
        .collect();
    factors.push(format!("{} attempts failed", row.len()));
    if transient && !waits.is_empty() && waits.iter().all(|wait| *wait < BACKOFF_US) {
        factors.push("No backoff between the attempts".to_owned());
    }
}

/// How a model's input grew until it was too long.
fn growth(look: &Look<'_>, cause: usize, factors: &mut Vec<String>) {
    let spans = &look.graph.spans;
    let tokens: Vec<i64> =
        spans[..=cause].iter().filter(|span| span.is_llm()).filter_map(|span| span.input_tokens).collect();
    if let [first, .., last] = tokens.as_slice()
        && last > first
    {
        factors.push(format!("Input tokens grew from {first} to {last} over {} calls", tokens.len()));
    }
}

fn compared(evidence: &Evidence, factors: &mut Vec<String>) {
    let Some(found) = &evidence.comparison else { return };
    let runs = format!("{} successful {}", found.runs, if found.runs == 1 { "run" } else { "runs" });
    if found.median_tokens > 0 && found.tokens / MUCH >= found.median_tokens {
        factors.push(format!("{} tokens; the median of {runs} is {}", found.tokens, found.median_tokens));
    }
    if let (Some(own), Some(median)) = (found.duration_us, found.median_duration_us)
        && median > 0
        && own / MUCH >= median
    {
        factors.push(format!("It ran {}; the median of {runs} is {}", seconds(own), seconds(median)));
    }
    if let Some(expected) = found.parting.as_ref().and_then(|parting| parting.expected.as_ref()) {
        factors.push(format!("{expected} is missing, which {runs} have"));
    }
}

/// Calls of one type that ran when this one ended, itself included.
pub(super) fn concurrent(look: &Look<'_>, place: usize) -> usize {
    let span = look.graph.spans[place];
    let Some(start) = span.start() else { return 1 };
    let end = span.end().or(look.graph.end_of(None)).unwrap_or(start);
    let ran = |other: &&&Span| {
        other.span_type == span.span_type
            && other.start().is_some_and(|start| start <= end)
            && other.end().is_none_or(|end| end > start)
            && !std::ptr::eq(**other, span)
    };
    1 + look.graph.spans.iter().filter(ran).count()
}

fn calls(count: usize) -> &'static str {
    if count == 1 { "call" } else { "calls" }
}
