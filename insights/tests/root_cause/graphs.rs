//! Any graph: circles, parents that are not there, the same id twice, times that are missing or absurd.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use retrace_insights::root_cause::{Run, Span, Step, Trace, analyse};

use super::faults::Fault;
use super::random::Random;
use super::wordings::SEEN;
use super::world::case;

fn any_time() -> impl Strategy<Value = Option<i64>> {
    prop_oneof![Just(None), (0i64..1000).prop_map(Some), any::<i64>().prop_map(Some)]
}

fn any_text() -> impl Strategy<Value = Option<String>> {
    let texts =
        ["", "Error code: 429", "timed out", "cancelled", "OOMKilled", "Recursion limit of 25", "invalid json", "x"];
    prop_oneof![
        Just(None),
        proptest::sample::select(texts.to_vec()).prop_map(|text| Some(text.to_owned())),
        "\\PC{0,20}".prop_map(Some)
    ]
}

fn any_span() -> impl Strategy<Value = Span> {
    let types = ["llm_call", "tool_call", "tool_result", "reasoning", "action", "error", "fork_point", ""];
    let names = ["chat", "search_web", "parse_answer", "step_1", "step_2", ""];
    let id = || (0u8..14).prop_map(|id| format!("s{id}"));
    let own = (
        id(),
        proptest::option::of(id()),
        proptest::sample::select(types.to_vec()),
        proptest::sample::select(names.to_vec()),
    );
    let times = (any_time(), any_time(), any_time(), any_time());
    (own, times, any::<bool>(), any_text(), any_text(), any_text()).prop_map(
        |((id, parent_id, span_type, name), times, failed, error, input, output)| Span {
            id,
            parent_id,
            span_type: span_type.to_owned(),
            name: name.to_owned(),
            model: None,
            started_at: times.0,
            ended_at: times.1,
            duration_us: times.2,
            input_tokens: times.3,
            output_tokens: times.3,
            failed,
            error,
            input_hash: input.as_ref().map(|input| input.len() as u64 % 3).filter(|hash| *hash > 0),
            input,
            output,
        },
    )
}

fn any_trace() -> impl Strategy<Value = Trace> {
    let rest = (any_text(), any_time(), any_time(), any::<bool>());
    (proptest::collection::vec(any_span(), 0..24), rest).prop_map(|(spans, (error, started_at, ended_at, failed))| {
        Trace { name: "agent".to_owned(), failed, error, started_at, ended_at, spans }
    })
}

fn any_runs() -> impl Strategy<Value = Vec<Run>> {
    let step =
        (proptest::sample::select(vec!["chat", "search_web", "other"]), any_time()).prop_map(|(name, duration_us)| {
            Step {
                span_type: if name == "chat" { "llm_call" } else { "tool_call" }.to_owned(),
                name: name.to_owned(),
                duration_us,
            }
        });
    let run = (proptest::collection::vec(step, 0..6), any::<i64>(), any_time());
    proptest::collection::vec(run.prop_map(|(steps, tokens, duration_us)| Run { steps, tokens, duration_us }), 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// There is an answer, its spans are the trace's, and the order of the spans makes no difference.
    #[test]
    fn any_graph_has_an_answer(trace in any_trace(), runs in any_runs(), seed in any::<u64>()) {
        let answer = analyse(&trace, &runs);
        let is_there = |id: &String| trace.spans.iter().any(|span| span.id == *id);
        prop_assert!(answer.evidence.cause.iter().all(is_there), "{:?}", answer);
        prop_assert!(answer.evidence.failed.iter().all(is_there), "{:?}", answer);
        prop_assert!(answer.evidence.chain.iter().all(is_there), "{:?}", answer);
        prop_assert!((0.0..=1.0).contains(&answer.confidence), "{:?}", answer);
        prop_assert!(!answer.root_cause.is_empty() && !answer.suggested_fix.is_empty(), "{:?}", answer);
        let mut shuffled = trace.clone();
        Random::new(seed).shuffle(&mut shuffled.spans);
        prop_assert_eq!(analyse(&shuffled, &runs), answer);
    }
}

#[test]
fn the_order_of_the_spans_makes_no_difference() {
    for (number, fault) in Fault::ALL.into_iter().enumerate() {
        let mut case = case(900 + number as u64, fault, &SEEN);
        let answer = analyse(&case.trace, &case.runs);
        Random::new(number as u64).shuffle(&mut case.trace.spans);
        assert_eq!(analyse(&case.trace, &case.runs), answer, "{fault:?}");
    }
}

/// How a trace of ten thousand spans is built: where each span hangs, and which fail.
type Shape = (&'static str, fn(usize) -> Option<usize>, fn(usize) -> bool);

#[test]
fn ten_thousand_spans_take_a_tenth_of_a_second() {
    let shapes: [Shape; 6] = [
        ("a chain, all failed", |at| at.checked_sub(1), |_| true),
        ("a chain, one failed", |at| at.checked_sub(1), |at| at == 9_999),
        ("a star, all failed", |at| (at > 0).then_some(0), |at| at > 0),
        ("a tree, one in three failed", |at| at.checked_sub(1).map(|at| at / 8), |at| at % 3 == 0),
        ("a tree, none failed", |at| at.checked_sub(1).map(|at| at / 8), |_| false),
        ("a circle", |at| Some((at + 1) % 10_000), |at| at % 2 == 0),
    ];
    for (name, parent, fails) in shapes {
        let spans: Vec<Span> = (0..10_000usize).map(|at| large(at, parent(at), fails(at))).collect();
        let trace = Trace { failed: true, error: Some("it failed".to_owned()), spans, ..Trace::default() };
        let runs: Vec<Run> = (0..20).map(|_| steps_of(&trace)).collect();
        let clock = Clock::start();
        (0..10).for_each(|_| drop(analyse(&trace, &runs)));
        let each = clock.elapsed() / 10;
        println!("{name}: {each:?}");
        assert!(each < Duration::from_millis(100), "{name}: {each:?}");
    }
}

/// The time that this thread has had a processor, so that what runs beside it does not count; else the time that passed.
struct Clock {
    began: Instant,
    ran: Option<Duration>,
}

impl Clock {
    fn start() -> Clock {
        Clock { began: Instant::now(), ran: ran() }
    }

    fn elapsed(&self) -> Duration {
        ran().zip(self.ran).map_or_else(|| self.began.elapsed(), |(now, then)| now - then)
    }
}

fn ran() -> Option<Duration> {
    let schedule = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(schedule.split_whitespace().next()?.parse().ok()?))
}

fn large(at: usize, parent: Option<usize>, failed: bool) -> Span {
    let error = format!(
        "Error code: 429 - {{'error': {{'message': 'Rate limit reached in request {at}: Limit 30000, Used 29011. Please try again in 2 s.', 'code': 'rate_limit_exceeded'}}}}"
    );
    Span {
        id: format!("span-{at}"),
        parent_id: parent.map(|parent| format!("span-{parent}")),
        span_type: ["llm_call", "tool_call", "action"][at % 3].to_owned(),
        name: format!("tool_{}", (b'a' + (at % 23) as u8) as char),
        started_at: Some(at as i64 * 1000),
        ended_at: Some(at as i64 * 1000 + 5000),
        input_tokens: Some(at as i64),
        failed,
        error: failed.then_some(error),
        input: Some(format!("{{\"question\": {}, \"text\": \"{}\"}}", at % 700, "x".repeat(200))),
        output: Some("y".repeat(200)),
        ..Span::default()
    }
}

fn steps_of(trace: &Trace) -> Run {
    let steps = trace.spans.iter().map(|span| Step {
        span_type: span.span_type.clone(),
        name: span.name.clone(),
        duration_us: Some(5000),
    });
    Run { steps: steps.collect(), tokens: 7, duration_us: Some(9) }
}
