//! What a timeline and a list show of a tape's lines.

use std::collections::HashMap;

use schemas::Money;
use schemas::events::{TapeSnapshot, TapeStep};
use schemas::tapes::{StepLine, TraceLine};
use serde_json::value::RawValue;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Characters of a name in a timeline.
const LONGEST_NAME: usize = 120;

/// Of those that a list shows.
const MOST_MODELS: usize = 32;

/// Of the trace; its slug is not known yet.
pub fn of_trace(trace: &TraceLine, sha256: String, bytes: usize) -> TapeSnapshot {
    TapeSnapshot {
        slug: String::new(),
        sha256,
        bytes: i64::try_from(bytes).unwrap_or(i64::MAX),
        status: trace.status.clone(),
        duration_us: trace.total_duration_ms.as_deref().and_then(micros),
        tokens: trace.total_tokens,
        cost: Money::parse(trace.total_cost.get()).unwrap_or_default().to_string(),
        models: trace.models.iter().take(MOST_MODELS).cloned().collect(),
    }
}

/// Of each step.
pub fn of_steps(trace: &TraceLine, steps: &[StepLine]) -> Vec<TapeStep> {
    let start = time(&trace.started_at);
    let places: HashMap<&str, usize> = steps.iter().enumerate().map(|(at, step)| (step.id.as_str(), at)).collect();
    let parents = steps.iter().map(|step| places.get(step.parent_id.as_deref()?).copied()).collect();
    let parents = without_circles(parents);
    let step = |(step, parent): (&StepLine, Option<usize>)| TapeStep {
        span_id: step.id.clone(),
        parent: parent.and_then(|at| i64::try_from(at + 1).ok()),
        span_type: step.span_type.clone(),
        name: step.name.chars().take(LONGEST_NAME).collect(),
        model: step.model.clone(),
        offset_us: start.zip(step.started_at.as_deref().and_then(time)).map(|(start, at)| at - start),
        duration_us: step.duration_ms.as_deref().and_then(micros),
        input_tokens: step.input_tokens,
        output_tokens: step.output_tokens,
        cost: step.cost.as_ref().and_then(|cost| Money::parse(cost.get()).ok()).map(|cost| cost.to_string()),
        failed: step.failed(),
    };
    steps.iter().zip(parents).map(step).collect()
}

/// Spans may say that they hang on one another in a circle; whoever walks up a timeline must come to an end.
fn without_circles(mut parents: Vec<Option<usize>>) -> Vec<Option<usize>> {
    #[derive(Clone, Copy, PartialEq)]
    enum Seen {
        Not,
        OnThisWay,
        Before,
    }
    let mut seen = vec![Seen::Not; parents.len()];
    for from in 0..parents.len() {
        let (mut way, mut at) = (Vec::new(), Some(from));
        while let Some(here) = at.filter(|here| seen[*here] == Seen::Not) {
            seen[here] = Seen::OnThisWay;
            way.push(here);
            at = parents[here];
        }
        if let (Some(last), Some(there)) = (way.last(), at)
            && seen[there] == Seen::OnThisWay
        {
            parents[*last] = None;
        }
        way.into_iter().for_each(|here| seen[here] = Seen::Before);
    }
    parents
}

fn micros(milliseconds: &RawValue) -> Option<i64> {
    // Money's twelve digits are milliseconds' as well.
    let micros = Money::parse(milliseconds.get()).ok()?.ratio(1, 1_000_000_000)?;
    i64::try_from(micros.0).ok()
}

/// Microseconds since 1970.
fn time(text: &str) -> Option<i64> {
    let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    i64::try_from(time.unix_timestamp_nanos() / 1000).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn circles_are_opened_and_the_rest_stays() {
        assert_eq!(without_circles(vec![None, Some(0), Some(1)]), [None, Some(0), Some(1)]);
        assert_eq!(without_circles(vec![Some(2), Some(0), Some(1), Some(2)]), [Some(2), None, Some(1), Some(2)]);
        assert_eq!(without_circles(vec![Some(0), Some(0)]), [None, Some(0)]);
    }

    #[test]
    fn times_are_counted_from_the_start_of_the_trace() {
        let trace = r#"{"name":"a","status":"completed","started_at":"2026-01-01T00:00:01Z","total_tokens":3,"total_cost":0.10,"models":[],"total_duration_ms":1.5}"#;
        let trace: TraceLine = serde_json::from_str(trace).unwrap();
        let step = r#"{"id":"00f067aa0ba902b7","span_type":"llm_call","name":"n","started_at":"2026-01-01T00:00:01.25Z","duration_ms":0.25,"cost":1e-3}"#;
        let step: StepLine = serde_json::from_str(step).unwrap();
        let shown = of_steps(&trace, &[step]);
        assert_eq!(
            (shown[0].offset_us, shown[0].duration_us, shown[0].cost.as_deref()),
            (Some(250_000), Some(250), Some("0.001"))
        );
        let figures = of_trace(&trace, String::new(), 7);
        assert_eq!((figures.duration_us, figures.cost.as_str(), figures.bytes), (Some(1500), "0.1", 7));
    }
}
