//! "Traces" and "A large payload value".

use schemas::events::{PayloadField, Phase, SpanType, TraceContent, TraceRecorded, TraceStatus};
use schemas::{Event, Money, ids};
use serde_bytes::ByteArray;

use super::*;

fn status(phase: Phase, status: TraceStatus) -> TraceRecorded {
    TraceRecorded { status: Some(status), ..facts(phase) }
}

fn warned(warnings: Vec<String>) -> TraceContent {
    TraceContent { warnings, ..Default::default() }
}

#[test]
fn within_a_phase_the_later_value_wins_and_null_replaces_nothing() {
    let mut log = Log::new();
    log.named(Phase::Started, "a");
    log.named(Phase::Started, "b");
    assert_eq!(log.view().name.as_deref(), Some("b"));
    log.record(facts(Phase::Ended), TraceContent { user_id: Some("u".to_owned()), ..Default::default() });
    assert_eq!(log.view().name.as_deref(), Some("b"));
    log.named(Phase::Ended, "c");
    log.named(Phase::Ended, "d");
    assert_eq!(log.view().name.as_deref(), Some("d"));
}

#[test]
fn started_never_replaces_ended_but_fills_what_it_left_open() {
    let mut log = Log::new();
    log.record(
        TraceRecorded { total_tokens: Some(10), total_cost: Some(Money(5)), ..facts(Phase::Ended) },
        TraceContent { cells: vec![cell(PayloadField::Output, "1")], ..Default::default() },
    );
    log.record(
        TraceRecorded { total_tokens: Some(0), lossy: Some(true), ..facts(Phase::Started) },
        TraceContent {
            cells: vec![cell(PayloadField::Output, "2"), cell(PayloadField::Input, "3")],
            tags: Some(vec!["t".to_owned()]),
            ..Default::default()
        },
    );
    let view = log.view();
    assert_eq!((view.total_tokens, view.total_cost, view.lossy), (10, Money(5), true));
    assert_eq!(view.cells[&PayloadField::Output], "1");
    assert_eq!(view.cells[&PayloadField::Input], "3");
    assert_eq!(view.tags, ["t"]);
}

#[test]
fn tags_merge_as_a_whole() {
    let mut log = Log::new();
    let tagged = |tags: &[&str]| TraceContent {
        tags: Some(tags.iter().map(|tag| (*tag).to_owned()).collect()),
        ..Default::default()
    };
    log.record(facts(Phase::Started), tagged(&["a", "b"]));
    log.record(facts(Phase::Started), tagged(&["c"]));
    assert_eq!(log.view().tags, ["c"]);
    log.record(facts(Phase::Started), tagged(&[]));
    assert!(log.view().tags.is_empty());
}

#[test]
fn running_never_replaces_an_outcome() {
    for outcome in [TraceStatus::Completed, TraceStatus::Failed] {
        for phase in [Phase::Started, Phase::Ended] {
            let mut log = Log::new();
            log.record(status(phase, outcome), TraceContent::default());
            log.record(status(Phase::Ended, TraceStatus::Running), TraceContent::default());
            log.record(status(Phase::Started, TraceStatus::Running), TraceContent::default());
            assert_eq!(log.view().status, outcome);
        }
    }
    let mut log = Log::new();
    log.record(status(Phase::Ended, TraceStatus::Failed), TraceContent::default());
    log.record(status(Phase::Ended, TraceStatus::Completed), TraceContent::default());
    assert_eq!(log.view().status, TraceStatus::Completed);
}

#[test]
fn a_record_that_is_there_twice_in_a_row_counts_once() {
    let mut log = Log::new();
    let id = ids::event_id();
    let content = TraceContent { warnings: vec!["w".to_owned()], ..Default::default() };
    let spans = vec![SpanFacts { input_tokens: Some(3), ..span("s", Phase::Ended) }];
    let sealed = log.seal(id, "trace_content", &content);
    let event = Event::TraceRecorded(TraceRecorded { spans, content: Some(sealed), ..facts(Phase::Ended) });
    let first = log.append(id, &event);
    let once = log.view();
    let second = log.append(id, &event);
    assert_eq!(log.view(), once);
    assert_eq!((once.received_at, once.total_tokens), (at(first), 3));
    assert_eq!(log.fold.trace_at(TENANT, TRACE, Some(first)), log.fold.trace_at(TENANT, TRACE, Some(second)));
}

#[test]
fn a_deleted_id_stays_deleted() {
    let mut log = Log::new();
    let first = log.named(Phase::Ended, "a");
    let deleted = log.delete();
    log.named(Phase::Ended, "late");
    log.feedback("u", 1, None);
    log.golden(true);
    assert_eq!(log.state(), TraceState::Deleted);
    assert_eq!(log.fold.deleted_at(TENANT, TRACE), Some(deleted));
    assert_eq!(log.fold.trace_at(TENANT, TRACE, Some(first)).visible().unwrap().name.as_deref(), Some("a"));
    assert_eq!(log.fold.trace_at(TENANT, TRACE, Some(0)), TraceState::Absent);
    // Another tenant's trace of that id is another trace.
    assert_eq!(log.fold.trace("other", TRACE), TraceState::Absent);
}

#[test]
fn a_deletion_ends_an_id_that_was_never_seen() {
    let mut log = Log::new();
    log.delete();
    log.named(Phase::Ended, "late");
    assert_eq!(log.state(), TraceState::Deleted);
}

#[test]
fn an_event_whose_key_is_erased_counts_by_its_facts() {
    let mut log = Log::new();
    let begun = log.named(Phase::Ended, "a");
    log.erase();
    assert_eq!((log.view().received_at, log.view().name), (at(begun), None));
    // What else is said of the trace under that key changes nothing.
    log.feedback("u", 1, None);
    assert!(log.view().feedback.is_empty());
    // A tombstone is final.
    let key = log.key.clone();
    log.fold.apply(key_record(TENANT, TRACE, &key, Some(&key.secret)));
    assert_eq!(log.view().name, None);
    assert!(log.fold.is_past_lost(TENANT, TRACE));
}

#[test]
fn spans_alone_make_a_trace() {
    let mut log = Log::new();
    let mut child = span("b", Phase::Started);
    child.started_at = Some(at(7));
    let offset = log.spans("", vec![span("a", Phase::Started), child]);
    let view = log.view();
    assert_eq!(view.status, TraceStatus::Running);
    assert_eq!((view.received_at, view.own_started_at, view.started_at), (at(offset), None, at(7)));
    // By start, unknown ones last.
    assert_eq!(view.spans.iter().map(|span| span.id.as_str()).collect::<Vec<_>>(), ["b", "a"]);
}

#[test]
fn spans_merge_by_the_phase_of_their_entry() {
    let mut log = Log::new();
    let entry = |phase, tokens, kind| SpanFacts { input_tokens: tokens, span_type: kind, ..span("s", phase) };
    // In one event they apply in order; the phase of the trace has no say.
    let spans = vec![
        entry(Phase::Ended, Some(9), None),
        entry(Phase::Started, Some(0), Some(SpanType::LlmCall)),
        entry(Phase::Started, None, Some(SpanType::ToolCall)),
    ];
    let cells = |value: &str| vec![cell(PayloadField::TokenIds, value)];
    let contents = vec![
        span_content("end", cells("[9]")),
        span_content("start", cells("[0]")),
        span_content("start", cells("[1]")),
    ];
    log.record(
        TraceRecorded { spans, ..facts(Phase::Started) },
        TraceContent { spans: contents, ..Default::default() },
    );
    let spans = vec![entry(Phase::Started, Some(1), None)];
    log.record(
        TraceRecorded { spans, ..facts(Phase::Ended) },
        TraceContent { spans: vec![span_content("late start", vec![])], ..Default::default() },
    );
    let view = log.view();
    assert_eq!(view.spans.len(), 1);
    let span = &view.spans[0];
    assert_eq!(
        (span.input_tokens, span.span_type, span.name.as_deref()),
        (Some(9), Some(SpanType::ToolCall), Some("end"))
    );
    assert_eq!(span.cells[&PayloadField::TokenIds], "[9]");
}

#[test]
fn the_first_hundred_distinct_warnings_are_kept() {
    let mut log = Log::new();
    let numbered = |range: std::ops::Range<u32>| range.map(|n| n.to_string()).collect::<Vec<_>>();
    log.record(facts(Phase::Ended), warned(vec!["a".to_owned(), "b".to_owned(), "a".to_owned()]));
    log.record(facts(Phase::Started), warned(vec!["b".to_owned(), "c".to_owned()]));
    assert_eq!(log.view().warnings, ["a", "b", "c"]);
    log.record(facts(Phase::Ended), warned(numbered(0..150)));
    let warnings = log.view().warnings;
    assert_eq!(warnings.len(), 100);
    assert_eq!(warnings[99], "96");
}

#[test]
fn golden_needs_a_trace_and_the_last_one_counts() {
    let mut log = Log::new();
    log.golden(true);
    assert_eq!(log.state(), TraceState::Absent);
    log.named(Phase::Started, "a");
    assert!(!log.view().golden);
    log.golden(true);
    assert!(log.view().golden);
    log.golden(false);
    assert!(!log.view().golden);
}

#[test]
fn a_user_has_one_verdict_and_it_needs_a_trace() {
    let mut log = Log::new();
    log.feedback("u", 1, Some("too early"));
    assert_eq!(log.state(), TraceState::Absent);
    log.named(Phase::Started, "a");
    assert!(log.view().feedback.is_empty());
    let first = log.feedback("u", -1, Some("bad"));
    let last = log.feedback("u", 1, None);
    let other = log.feedback("v", -1, None);
    let feedback = log.view().feedback;
    assert_eq!(feedback.len(), 2);
    let (value, note) = (1, None);
    assert_eq!(feedback["u"], crate::FeedbackView { value, note, created_at: at(first), updated_at: at(last) });
    assert_eq!((feedback["v"].value, feedback["v"].created_at), (-1, at(other)));
}

#[test]
fn chunks_in_order_are_the_value_of_every_cell_that_names_them() {
    let mut log = Log::new();
    let hash = [7; 32];
    // A character may be cut in two, and chunks may arrive in any order.
    let text = "\"é\"".as_bytes();
    log.chunk(hash, 1, 2, &text[2..]);
    let half = log.chunk(hash, 0, 2, &text[..2]);
    log.chunk(hash, 0, 2, &text[..2]);
    assert_eq!(log.fold.trace_at(TENANT, TRACE, Some(half)), TraceState::Absent);
    let large = |field, hash| Cell { field, value: String::new(), chunks: 2, sha256: Some(ByteArray::new(hash)) };
    let spans = vec![span_content("s", vec![large(PayloadField::Output, hash)])];
    log.record(
        TraceRecorded { spans: vec![span("s", Phase::Ended)], ..facts(Phase::Ended) },
        TraceContent {
            cells: vec![large(PayloadField::Input, hash), large(PayloadField::Metadata, [8; 32])],
            spans,
            ..Default::default()
        },
    );
    let view = log.view();
    assert_eq!(view.cells[&PayloadField::Input], "\"é\"");
    assert_eq!(view.spans[0].cells[&PayloadField::Output], "\"é\"");
    assert_eq!(view.cells.get(&PayloadField::Metadata), None);
}

#[test]
fn a_slice_keeps_its_own_traces() {
    let whole = Fold::new();
    assert!(whole.keeps(TENANT, TRACE));
    let kept = (0..5).filter(|slice| Fold::of_slice(*slice, 5).keeps(TENANT, TRACE)).count();
    assert_eq!(kept, 1);
}
