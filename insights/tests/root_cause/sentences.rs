//! What an answer says in words.

use retrace_insights::root_cause::{Kind, Run, Span, Step, Trace, analyse};

fn span(id: &str, parent: Option<&str>, span_type: &str, name: &str, from: i64, to: i64) -> Span {
    Span {
        id: id.to_owned(),
        parent_id: parent.map(str::to_owned),
        span_type: span_type.to_owned(),
        name: name.to_owned(),
        started_at: Some(from * 1000),
        ended_at: Some(to * 1000),
        ..Span::default()
    }
}

fn failed(mut span: Span, error: &str) -> Span {
    span.failed = true;
    span.error = Some(error.to_owned());
    span
}

#[test]
fn a_burst_of_calls_against_a_rate_limit_is_explained() {
    let error = "429 Client Error: Too Many Requests";
    let mut spans = vec![failed(span("root", None, "action", "my-agent", 0, 900), error)];
    for call in 0..5i64 {
        let id = format!("call-{call}");
        let call = span(&id, Some("root"), "tool_call", "search_web", 100 + call, 800 + call);
        spans.push(if id == "call-2" { failed(call, error) } else { call });
    }
    let trace = Trace {
        name: "my-agent".to_owned(),
        failed: true,
        error: Some(error.to_owned()),
        started_at: Some(0),
        ended_at: Some(1_000_000),
        spans,
    };
    let answer = analyse(&trace, &[]);
    assert_eq!(
        answer.root_cause,
        "The 3rd tool_call search_web was refused by a rate limit: \"429 Client Error: Too Many Requests\"."
    );
    assert_eq!(answer.failed_step, "tool_call: search_web");
    assert_eq!(answer.contributing_factors, ["No retry", "Burst of 5 concurrent calls"]);
    assert_eq!(answer.evidence.kind, Kind::RateLimit);
    assert_eq!(answer.evidence.chain, ["call-2", "root"]);
}

#[test]
fn a_slow_part_is_measured_against_successful_runs() {
    let trace = Trace {
        name: "my-agent".to_owned(),
        failed: true,
        error: Some("asyncio.exceptions.TimeoutError".to_owned()),
        started_at: Some(0),
        ended_at: Some(30_000_000),
        spans: vec![
            failed(span("root", None, "action", "my-agent", 0, 30_000), "asyncio.exceptions.TimeoutError"),
            span("quick", Some("root"), "llm_call", "chat", 0, 1_000),
            span("slow", Some("root"), "tool_call", "run_query", 1_000, 29_900),
        ],
    };
    let step = |span_type: &str, name: &str, ms: i64| Step {
        span_type: span_type.to_owned(),
        name: name.to_owned(),
        duration_us: Some(ms * 1000),
    };
    let steps =
        vec![step("action", "my-agent", 3_000), step("llm_call", "chat", 900), step("tool_call", "run_query", 1_500)];
    let runs = vec![Run { steps, tokens: 0, duration_us: Some(3_000_000) }; 3];
    let answer = analyse(&trace, &runs);
    assert_eq!(
        answer.root_cause,
        "The tool_call run_query took 28.9 s (usually 1.5 s) until the action my-agent ran out of time: \"asyncio.exceptions.TimeoutError\"."
    );
    assert_eq!(answer.failed_step, "action: my-agent");
    assert_eq!(answer.evidence.cause.as_deref(), Some("slow"));
    let compared = answer.evidence.comparison.unwrap();
    assert_eq!((compared.runs, compared.median_duration_us), (3, Some(3_000_000)));
    assert_eq!(answer.contributing_factors, ["It ran 30.0 s; the median of 3 successful runs is 3.0 s"]);
}

#[test]
fn questions_that_only_begin_alike_are_no_loop() {
    let turn = |number: i64, hash: Option<u64>| Span {
        input: Some("{\"system\": \"You are".to_owned()),
        input_hash: hash,
        ..span(&format!("turn-{number}"), Some("root"), "tool_call", "search_web", number * 10, number * 10 + 9)
    };
    let trace = |hashed: bool| Trace {
        failed: true,
        spans: (0..8).map(|number| turn(number, hashed.then_some(number as u64))).collect(),
        ..Trace::default()
    };
    assert_ne!(analyse(&trace(true), &[]).evidence.kind, Kind::Loop);
    assert_eq!(analyse(&trace(false), &[]).evidence.kind, Kind::Loop);
}

#[test]
fn what_was_got_over_is_no_cause() {
    let trace = Trace {
        name: "my-agent".to_owned(),
        spans: vec![
            span("root", None, "action", "my-agent", 0, 900),
            failed(span("first", Some("root"), "llm_call", "chat", 0, 100), "503 Service Unavailable"),
            span("second", Some("root"), "llm_call", "chat", 200, 300),
        ],
        ..Trace::default()
    };
    let answer = analyse(&trace, &[]);
    assert_eq!(answer.root_cause, "The trace has not failed, and no failure in it was left unhandled.");
    assert_eq!(answer.evidence.cause, None);
    assert_eq!(answer.contributing_factors, ["1 other failed call passed when tried again"]);
    assert!(analyse(&Trace::default(), &[]).evidence.cause.is_none());
}
