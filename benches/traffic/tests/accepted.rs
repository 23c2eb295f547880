//! Whatever the seed and the shape, the command side takes every trace as it is, and a trace makes sense in itself.

use std::collections::{HashMap, HashSet};

use ingest::commands::traces::parse;
use proptest::prelude::*;
use retrace_traffic::{DAY, HOUR, Incident, Shape, Traffic};

/// 2026-11-20T00:00:00Z.
const MIDNIGHT: i64 = 1_795_132_800_000_000;

prop_compose! {
    fn shapes()(
        seed: u64,
        hours in 0..24i64,
        days in 1..30u32,
        traces in 1..3_000u64,
        (projects, names, models) in (1..25usize, 1..320usize, 1..60usize),
        incidents in 0..40usize,
    ) -> Shape {
        let until = MIDNIGHT + hours * HOUR + 17;
        Shape { seed, until, days, traces, projects, names, models, incidents, tag: "made-up".to_owned() }
    }
}

proptest! {
    #[test]
    fn every_body_is_accepted_without_a_warning(shape in shapes(), places in prop::collection::vec(0..u64::MAX, 20)) {
        let traffic = Traffic::new(shape);
        prop_assume!(traffic.traces() > 0);
        for place in places {
            let trace = traffic.trace(place % traffic.traces());
            let read = parse::trace(&trace.to_json().unwrap(), None, 10_000).unwrap();
            prop_assert_eq!(read.warnings, Vec::<String>::new());
            prop_assert_eq!(read.id.as_deref(), Some(trace.id.as_str()));
            prop_assert_eq!(read.spans.len(), trace.span_count);
            prop_assert_eq!(read.started_at, Some(trace.started_at));
            prop_assert_eq!(read.environment.as_deref(), trace.metadata["environment"].as_str());
            prop_assert!(read.tags.is_some_and(|tags| tags[0] == "made-up"));
        }
    }

    #[test]
    fn spans_are_a_tree_and_lie_within_what_they_are_part_of(shape in shapes(), place: u64) {
        let traffic = Traffic::new(shape);
        prop_assume!(traffic.traces() > 0);
        let trace = traffic.trace(place % traffic.traces());
        let ids: HashSet<&str> = trace.spans.iter().map(|span| span.id.as_str()).collect();
        prop_assert_eq!(ids.len(), trace.spans.len());
        let by_id: HashMap<&str, _> = trace.spans.iter().map(|span| (span.id.as_str(), span)).collect();
        for span in &trace.spans {
            prop_assert!(span.started_at >= trace.started_at);
            prop_assert!(span.ended_at.is_none_or(|ended| ended >= span.started_at));
            prop_assert!(span.ended_at.is_none() || trace.ended_at.is_none() || span.ended_at <= trace.ended_at);
            if let Some(parent) = &span.parent_id {
                prop_assert!(by_id[parent.as_str()].started_at <= span.started_at);
            } else {
                prop_assert_eq!(&span.id, &trace.spans[0].id);
            }
        }
        prop_assert_eq!(trace.status == "failed", trace.error.is_some());
        prop_assert_eq!(trace.status == "running", trace.ended_at.is_none());
        prop_assert!(trace.status != "failed" || trace.spans.iter().any(|span| span.error == trace.error));
    }

    #[test]
    fn traces_lie_in_the_days_asked_for_in_the_order_of_hours(shape in shapes(), place: u64) {
        let (start, until) = (shape.start(), shape.until);
        let traffic = Traffic::new(shape);
        prop_assume!(traffic.traces() > 1);
        let index = place % (traffic.traces() - 1);
        let (one, next) = (traffic.trace(index), traffic.trace(index + 1));
        prop_assert!(start <= one.started_at && one.started_at < until + HOUR);
        prop_assert!(one.started_at.div_euclid(HOUR) <= next.started_at.div_euclid(HOUR));
    }

    #[test]
    fn incidents_lie_in_the_days_asked_for_and_name_what_there_is(shape in shapes()) {
        let (start, end) = (shape.start(), shape.today() + DAY);
        let asked = shape.incidents;
        let traffic = Traffic::new(shape);
        let names: HashMap<&str, Vec<&str>> = traffic.names().collect();
        prop_assert!(traffic.incidents().len() <= asked);
        for incident in traffic.incidents() {
            prop_assert!(incident.from < incident.to && incident.to <= end, "{:?}", incident);
            prop_assert!(incident.from >= start || incident.from >= end - 8 * DAY, "{:?}", incident);
            prop_assert!(incident.from % HOUR == 0 && incident.to % HOUR == 0, "{:?}", incident);
            let known = &names[incident.project.as_str()];
            prop_assert!(incident.name.as_ref().is_none_or(|name| known.contains(&name.as_str())));
            let beside = |other: &&Incident| {
                other.project == incident.project && other.from < incident.to && incident.from < other.to
            };
            // The first three may be of one project where there are few.
            let later = traffic.incidents().iter().skip(3).filter(beside).filter(|other| *other != incident);
            prop_assert_eq!(later.collect::<Vec<_>>(), Vec::<&Incident>::new(), "{:?}", incident);
        }
    }
}
