//! "Derived values" and "Price tables", and the JSON of both.

use schemas::Money;
use schemas::events::{PayloadField, Phase, TraceContent, TraceRecorded, TraceStatus};
use serde_json::{Value, json};

use super::*;
use crate::json as shown;

/// 2025-06-01T00:00:00Z
const JUNE: i64 = 1_748_736_000_000_000;

fn table(models: Value) -> String {
    json!({"version": "t", "currency": "USD", "unit": "per 1,000,000 tokens", "models": models}).to_string()
}

fn entry(from: Option<&str>, to: Option<&str>, input: &str, output: &str) -> Value {
    json!({"valid_from": from, "valid_to": to, "source": "test", "input": input, "output": output})
}

fn call(model: &str, at: Option<i64>, input: Option<i64>, output: Option<i64>) -> SpanFacts {
    SpanFacts {
        model: Some(model.to_owned()),
        started_at: at,
        input_tokens: input,
        output_tokens: output,
        ..span("s", Phase::Ended)
    }
}

fn cost(log: &Log) -> (Option<i128>, Option<&'static str>) {
    let span = &log.view().spans[0];
    (span.cost.map(|cost| cost.0), span.cost_source)
}

fn priced() -> (Log, String) {
    let mut log = Log::new();
    let mut tiered = entry(None, None, "1", "10");
    tiered["tiers"] = json!([
        {"above_input_tokens": 200, "input": "3", "output": "30"},
        {"above_input_tokens": 100, "input": "2", "output": "20"},
    ]);
    let hash = log.publish(
        "",
        &table(json!([
            {"provider": "p", "model": "plain", "aliases": ["p/plain"], "prices": [
                entry(None, Some("2025-06-01T00:00:00Z"), "1", "2"),
                entry(Some("2025-06-01T00:00:00Z"), None, "3", "4"),
            ]},
            {"provider": "p", "model": "tiered", "prices": [tiered]},
            {"provider": "p", "model": "fine", "prices": [entry(None, None, "0.0000005", "0.0000015")]},
            {"provider": "p", "model": "old", "prices": [entry(None, Some("2025-06-01T00:00:00Z"), "1", "1")]},
        ])),
    );
    (log, hash)
}

#[test]
fn a_cost_is_computed_from_the_price_valid_at_the_start() {
    // Three tokens in, one out: 3·1 + 1·2 before the change of price, 3·3 + 1·4 from then on, in millionths.
    for (at, expected) in [(JUNE - 1, 5_000_000), (JUNE, 13_000_000)] {
        let (mut log, hash) = priced();
        log.spans(&hash, vec![call("P/Plain", Some(at), Some(3), Some(1))]);
        assert_eq!(cost(&log), (Some(expected), Some("computed")));
    }
    for incomplete in [
        call("plain", None, Some(1), Some(1)),
        call("plain", Some(JUNE), None, None),
        call("unheard of", Some(JUNE), Some(1), Some(1)),
        call("old", Some(JUNE), Some(1), Some(1)),
        SpanFacts { model: None, ..call("", Some(JUNE), Some(1), Some(1)) },
    ] {
        let (mut log, hash) = priced();
        log.spans(&hash, vec![incomplete]);
        assert_eq!(cost(&log), (None, None));
    }
    let (mut log, hash) = priced();
    log.spans(&hash, vec![call("plain", Some(JUNE), None, Some(2))]);
    assert_eq!(cost(&log).0, Some(8_000_000));
}

#[test]
fn a_tier_holds_above_its_mark() {
    for (input, expected) in [(100, 100 + 10), (101, 202 + 20), (200, 400 + 20), (201, 603 + 30)] {
        let (mut log, hash) = priced();
        log.spans(&hash, vec![call("tiered", Some(JUNE), Some(input), Some(1))]);
        assert_eq!(cost(&log).0, Some(expected * 1_000_000), "{input}");
    }
}

#[test]
fn a_cost_is_rounded_half_to_even_at_the_twelfth_digit() {
    // Prices of 0.5e-12 and 1.5e-12 a token.
    for (input, output, expected) in [(1, 0, 0), (0, 1, 2), (3, 0, 2), (5, 0, 2), (1, 1, 2)] {
        let (mut log, hash) = priced();
        log.spans(&hash, vec![call("fine", Some(JUNE), Some(input), Some(output))]);
        assert_eq!(cost(&log).0, Some(expected), "{input} {output}");
    }
}

#[test]
fn a_reported_cost_comes_first() {
    let (mut log, hash) = priced();
    let reported = SpanFacts { cost: Some(Money(0)), ..call("plain", Some(JUNE), Some(1), Some(1)) };
    log.spans(&hash, vec![reported]);
    assert_eq!(cost(&log), (Some(0), Some("reported")));
}

#[test]
fn the_last_event_about_a_span_names_its_tables_and_their_order_counts() {
    let (mut log, shipped) = priced();
    let own = log.publish(
        TENANT,
        &table(json!([{"provider": "p", "model": "plain", "prices": [entry(Some("2025-06-01T00:00:00Z"), None, "7", "0")]}])),
    );
    let both = format!("{own},{shipped}");
    log.spans(&both, vec![call("plain", Some(JUNE), Some(1), None)]);
    assert_eq!(cost(&log).0, Some(7_000_000));
    log.spans(&shipped, vec![SpanFacts { span_id: "other".to_owned(), ..call("plain", Some(JUNE), None, None) }]);
    assert_eq!(log.view().spans[1].cost.map(|cost| cost.0), Some(7_000_000));
    log.spans(&shipped, vec![span("s", Phase::Started)]);
    assert_eq!(log.view().spans[1].cost.map(|cost| cost.0), Some(3_000_000));
    // The first table knows the model, but not for then.
    log.spans(&both, vec![call("plain", Some(JUNE - 1), Some(1), None)]);
    assert_eq!(log.view().spans[0].cost.map(|cost| cost.0), Some(1_000_000));
}

#[test]
fn repricing_names_tables_for_the_spans_that_are_there() {
    let (mut log, shipped) = priced();
    log.reprice(&shipped);
    assert_eq!(log.state(), TraceState::Absent);
    let reported = SpanFacts { cost: Some(Money(5)), ..call("plain", Some(JUNE), Some(1), None) };
    log.spans("", vec![call("plain", Some(JUNE), Some(1), None), SpanFacts { span_id: "r".to_owned(), ..reported }]);
    let costs = |log: &Log| log.view().spans.iter().map(|span| span.cost.map(|cost| cost.0)).collect::<Vec<_>>();
    assert_eq!(costs(&log), [Some(5), None]);
    let offset = log.reprice(&shipped);
    assert_eq!(costs(&log), [Some(5), Some(3_000_000)]);
    assert_eq!(log.view().total_cost, Money(3_000_005));
    // A span that comes later, and one that is spoken of again, name their own.
    log.spans("", vec![SpanFacts { span_id: "u".to_owned(), ..call("plain", Some(JUNE), Some(1), None) }]);
    assert_eq!(costs(&log), [Some(5), Some(3_000_000), None]);
    log.spans("", vec![span("s", Phase::Started)]);
    assert_eq!(costs(&log), [Some(5), None, None]);
    let before = log.fold.trace_at(TENANT, TRACE, Some(offset - 1));
    assert_eq!(before.visible().unwrap().total_cost, Money(5));
    log.delete();
    log.reprice(&shipped);
    assert_eq!(log.state(), TraceState::Deleted);
}

#[test]
fn models_are_looked_up_in_lower_case_in_tables_of_any_case() {
    let mut log = Log::new();
    let models = json!([
        {"provider": "p", "model": "Big", "prices": [entry(None, Some("2025-06-01T00:00:00Z"), "1", "0")]},
        {"provider": "p", "model": "other", "aliases": ["BIG"], "prices": [entry(None, None, "2", "0")]},
    ]);
    let hash = log.publish("", &table(models));
    for (at, expected) in [(JUNE - 1, 1_000_000), (JUNE, 2_000_000)] {
        log.spans(&hash, vec![call("bIG", Some(at), Some(1), None)]);
        assert_eq!(cost(&log).0, Some(expected));
    }
}

#[test]
fn a_table_that_the_log_does_not_have_is_noticed() {
    let (mut log, hash) = priced();
    log.spans(&format!("{hash},ffff"), vec![call("plain", Some(JUNE), Some(1), None)]);
    assert_eq!(log.fold.unknown_price_tables().into_iter().collect::<Vec<_>>(), ["ffff"]);
    log.reprice("eeee");
    assert_eq!(log.fold.unknown_price_tables().into_iter().collect::<Vec<_>>(), ["eeee", "ffff"]);
}

#[test]
fn totals_are_those_of_the_spans_where_they_have_any() {
    let mut log = Log::new();
    let facts = TraceRecorded { total_tokens: Some(100), total_cost: Some(Money(900)), ..facts(Phase::Ended) };
    log.record(facts, TraceContent::default());
    let view = log.view();
    assert_eq!((view.total_tokens, view.total_cost), (100, Money(900)));
    assert_eq!((view.reported_total_tokens, view.reported_total_cost), (None, None));
    log.spans("", vec![SpanFacts { output_tokens: Some(0), ..span("a", Phase::Ended) }]);
    let view = log.view();
    assert_eq!((view.total_tokens, view.reported_total_tokens), (0, Some(100)));
    assert_eq!((view.total_cost, view.reported_total_cost), (Money(900), None));
    log.spans("", vec![SpanFacts { input_tokens: Some(4), cost: Some(Money(3)), ..span("b", Phase::Ended) }]);
    let view = log.view();
    assert_eq!((view.total_tokens, view.total_cost, view.reported_total_cost), (4, Money(3), Some(Money(900))));
    assert_eq!((view.token_spans, view.cost_spans), (2, 1));
}

#[test]
fn nothing_known_is_zero_running_and_begun_when_received() {
    let mut log = Log::new();
    let offset = log.named(Phase::Started, "a");
    let view = log.view();
    assert_eq!((view.total_tokens, view.total_cost, view.total_duration_us), (0, Money(0), None));
    assert_eq!((view.status, view.started_at), (TraceStatus::Running, at(offset)));
}

#[test]
fn a_duration_is_the_merged_one_or_the_time_that_passed() {
    let mut log = Log::new();
    let timed = SpanFacts { started_at: Some(JUNE), ended_at: Some(JUNE + 5), ..span("a", Phase::Ended) };
    log.spans("", vec![timed, SpanFacts { duration_us: Some(9), ..span("a", Phase::Started) }]);
    assert_eq!(log.view().spans[0].duration_us, Some(9));
    log.spans("", vec![SpanFacts { ended_at: Some(JUNE), ..span("b", Phase::Ended) }]);
    assert_eq!(log.view().spans[1].duration_us, None);
    // The trace began with its first span.
    log.record(TraceRecorded { ended_at: Some(JUNE + 1500), ..facts(Phase::Ended) }, TraceContent::default());
    assert_eq!(log.view().total_duration_us, Some(1500));
    assert_eq!(shown::trace(&log.view())["total_duration_ms"], json!(1.5));
    log.record(TraceRecorded { total_duration_us: Some(7), ..facts(Phase::Started) }, TraceContent::default());
    assert_eq!(log.view().total_duration_us, Some(7));
}

#[test]
fn models_are_distinct_and_sorted() {
    let mut log = Log::new();
    let of = |id: &str, model: &str| SpanFacts { model: Some(model.to_owned()), ..span(id, Phase::Ended) };
    log.spans("", vec![of("1", "b"), of("2", "a"), of("3", "b"), span("4", Phase::Ended)]);
    let view = log.view();
    assert_eq!((view.models, view.spans.len()), (vec!["a".to_owned(), "b".to_owned()], 4));
}

#[test]
fn json_shows_what_is_known_and_null_for_the_rest() {
    let mut log = Log::new();
    let facts = TraceRecorded {
        started_at: Some(JUNE + 1),
        total_cost: Some(Money::parse("0.1").unwrap()),
        spans: vec![span("s", Phase::Started)],
        ..facts(Phase::Started)
    };
    let cells = vec![cell(PayloadField::Input, "{\"a\": 1.50}"), cell(PayloadField::Error, "{\"a\"")];
    log.record(facts, TraceContent { cells, ..Default::default() });
    let shown = shown::trace(&log.view());
    let expected = r#"{
        "id": "TRACE", "name": "", "status": "running", "input": {"a": 1.5}, "output": null, "error": "{\"a\"",
        "metadata": null, "session_id": null, "user_id": null, "project_id": null, "environment": null, "tags": [],
        "started_at": "2025-06-01T00:00:00.000001Z", "ended_at": null, "total_tokens": 0, "total_cost": 0.1,
        "total_duration_ms": null, "reported_total_tokens": null, "reported_total_cost": null, "span_count": 1,
        "lossy": false, "golden": false, "warnings": [], "models": [],
        "spans": [{
            "id": "s", "trace_id": "TRACE", "parent_id": null, "span_type": null, "name": "", "model": null,
            "input": null, "output": null, "input_tokens": null, "output_tokens": null, "cache_read_tokens": null, "cache_write_tokens": null, "reasoning_tokens": null, "cost": null,
            "cost_source": null, "duration_ms": null, "started_at": null, "ended_at": null, "error": null,
            "metadata": null, "agent_id": null, "parent_agent_id": null, "agent_role": null, "token_ids": null,
            "logprobs": null
        }]
    }"#;
    let expected: Value = serde_json::from_str(&expected.replace("TRACE", TRACE)).unwrap();
    assert_eq!(shown, expected);
}
