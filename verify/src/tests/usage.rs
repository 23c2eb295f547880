//! docs/SEMANTICS.md, "Usage".

use std::collections::BTreeMap;

use schemas::events::{Phase, RootCauseContent, RootCauseFound, SpanFacts, TraceContent, TraceRecorded};
use schemas::{Event, Money, ids};

use super::{EPOCH, Log, TENANT, TRACE, facts, span};
use crate::usage::{Usage, usage_of};

const DAY_US: i64 = 86_400_000_000;
const TODAY: i64 = EPOCH / DAY_US;

fn used(log: &Log) -> BTreeMap<i64, Usage> {
    usage_of(&log.fold, TENANT, TRACE, None)
}

fn totals(log: &Log) -> Vec<i128> {
    used(log).remove(&TODAY).map(|used| used.totals()).unwrap_or_default()
}

fn with_tokens(id: &str, tokens: i64) -> SpanFacts {
    SpanFacts { input_tokens: Some(tokens), cost: Some(Money(tokens.into())), ..span(id, Phase::Ended) }
}

#[test]
fn an_id_counts_once_and_figures_by_their_differences() {
    let mut log = Log::new();
    log.spans("", vec![with_tokens("a", 10)]);
    log.spans("", vec![with_tokens("a", 10)]);
    assert_eq!(totals(&log), [1, 1, 10, 10, 0]);
    log.spans("", vec![with_tokens("a", 7), with_tokens("b", 5)]);
    assert_eq!(totals(&log), [1, 2, 12, 12, 0]);
    // Each on its own day.
    log.next = 86_400;
    log.spans("", vec![with_tokens("a", 9), with_tokens("c", 1)]);
    assert_eq!(totals(&log), [1, 2, 12, 12, 0]);
    assert_eq!(used(&log)[&(TODAY + 1)].totals(), [0, 1, 3, 3, 0]);
}

#[test]
fn nothing_takes_away_and_what_comes_after_a_deletion_is_not_counted() {
    let mut log = Log::new();
    log.spans("", vec![with_tokens("a", 10)]);
    log.golden(true);
    log.reprice("another");
    log.delete();
    log.spans("", vec![with_tokens("b", 10)]);
    assert_eq!(totals(&log), [1, 1, 10, 10, 0]);
}

#[test]
fn erased_content_changes_nothing_of_it() {
    let mut log = Log::new();
    let content = TraceContent { name: Some("a".to_owned()), ..TraceContent::default() };
    log.record(TraceRecorded { spans: vec![with_tokens("a", 10)], ..facts(Phase::Ended) }, content);
    let id = ids::event_id();
    let said = RootCauseContent {
        question: String::new(),
        root_cause: "none".to_owned(),
        failed_step: String::new(),
        failed_span_id: None,
        contributing_factors: Vec::new(),
        suggested_fix: String::new(),
        confidence: 1.0,
    };
    let content = log.seal(id, "root_cause_content", &said);
    let found = RootCauseFound {
        trace_id: TRACE.to_owned(),
        engine: "a".to_owned(),
        model: "b".to_owned(),
        input_tokens: 1,
        output_tokens: 1,
        content,
    };
    log.append(id, &Event::RootCauseFound(found));
    let before = used(&log);
    assert_eq!(totals(&log), [1, 1, 10, 10, 1]);
    log.delete();
    log.erase();
    assert_eq!(used(&log), before);
}
