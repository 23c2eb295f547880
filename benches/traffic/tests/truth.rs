//! The traffic is what it says it is: the same for the same seed, with the incidents it names and no others.
#![expect(clippy::unwrap_used, reason = "a test, helpers included")]

use std::collections::{BTreeMap, HashSet};

use proptest::prelude::*;
use retrace_traffic::{DAY, HOUR, Incident, Kind, Shape, Span, Trace, Traffic, UNPRICED};
use schemas::prices::{PriceEntry, PriceTable, SHIPPED};

/// 2026-11-20T00:00:00Z, a Friday.
const MIDNIGHT: i64 = 1_795_132_800_000_000;
/// Standard errors. Of the figures tested here, less than one in ten thousand seeds is so far off.
const OFF: f64 = 4.0;

fn shape(seed: u64, traces: u64) -> Shape {
    Shape {
        seed,
        until: MIDNIGHT,
        days: 28,
        traces,
        projects: 3,
        names: 12,
        models: 12,
        incidents: 0,
        tag: "made-up".to_owned(),
    }
}

fn all(traffic: &Traffic) -> impl Iterator<Item = Trace> {
    (0..traffic.traces()).map(|index| traffic.trace(index))
}

/// Four whole days in the busiest project: enough traces to tell.
fn incident(shape: &Shape, kind: Kind, factor: f64) -> Incident {
    let project = Traffic::new(shape.clone()).names().next().unwrap().0.to_owned();
    let (from, to) = (MIDNIGHT - 6 * DAY, MIDNIGHT - 2 * DAY);
    Incident { kind, project, name: None, from, to, factor, models: None }
}

// The same again.

#[test]
fn the_same_seed_makes_the_same_bytes_and_another_makes_others() {
    let [one, again, other] = [1, 1, 2].map(|seed| Traffic::new(Shape { incidents: 9, ..shape(seed, 2_000) }));
    for index in (0..2_000).rev() {
        assert_eq!(one.trace(index).to_json().unwrap(), again.trace(index).to_json().unwrap());
        assert_ne!(one.trace(index).id, other.trace(index).id);
    }
    assert_eq!(one.incidents(), again.incidents());
}

#[test]
fn later_in_the_day_there_is_more_of_the_same_and_another_day_has_others() {
    let at = |until: i64| Traffic::new(Shape { until, incidents: 9, ..shape(3, 3_000) });
    let (morning, evening, tomorrow) =
        (at(MIDNIGHT + 9 * HOUR), at(MIDNIGHT + 20 * HOUR + 5), at(MIDNIGHT + 33 * HOUR));
    assert!(morning.traces() < evening.traces());
    assert_eq!(morning.incidents(), evening.incidents());
    let ids: HashSet<String> = all(&tomorrow).map(|trace| trace.id).collect();
    for index in 0..morning.traces() {
        let trace = morning.trace(index);
        assert_eq!(trace, evening.trace(index));
        assert!(!ids.contains(&trace.id));
    }
}

#[test]
fn two_shapes_have_no_trace_in_common() {
    let of = |shape: Shape| all(&Traffic::new(shape)).map(|trace| trace.id).collect::<HashSet<_>>();
    let first = of(shape(3, 500));
    for other in [
        shape(4, 500),
        shape(3, 501),
        Shape { until: MIDNIGHT + DAY, ..shape(3, 500) },
        Shape { days: 27, ..shape(3, 500) },
        Shape { projects: 4, ..shape(3, 500) },
        Shape { names: 13, ..shape(3, 500) },
        Shape { models: 11, ..shape(3, 500) },
        Shape { incidents: 3, ..shape(3, 500) },
    ] {
        assert!(first.is_disjoint(&of(other.clone())), "{other:?}");
    }
}

#[test]
fn no_two_traces_share_an_id() {
    let traffic = Traffic::new(shape(4, 50_000));
    assert_eq!(traffic.traces(), 50_000);
    assert_eq!(all(&traffic).map(|trace| trace.id).collect::<HashSet<_>>().len(), 50_000);
}

// The incidents, trace by trace: the same traffic with and without.

fn tokens(trace: &Trace) -> Vec<(Option<u64>, Option<u64>)> {
    trace.spans.iter().map(|span| (span.input_tokens, span.output_tokens)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_cost_spike_multiplies_the_tokens_of_its_traces_and_changes_nothing_else(seed: u64, factor in 2..6u64) {
        let shape = shape(seed, 600);
        let spike = incident(&shape, Kind::CostSpike, factor as f64);
        let (plain, spiked) = (Traffic::new(shape.clone()), Traffic::with(shape, vec![spike.clone()]));
        for (before, after) in all(&plain).zip(all(&spiked)) {
            let of = before.project_id == spike.project && (spike.from..spike.to).contains(&before.started_at);
            if of {
                let times = |tokens: Option<u64>| tokens.map(|tokens| tokens * factor);
                let wanted: Vec<_> = tokens(&before).iter().map(|(i, o)| (times(*i), times(*o))).collect();
                prop_assert_eq!(wanted, tokens(&after));
                prop_assert_eq!(before.total_tokens * factor, after.total_tokens);
                prop_assert_eq!(before.total_duration_ms, after.total_duration_ms);
            } else {
                prop_assert_eq!(before, after);
            }
        }
    }

    #[test]
    fn a_latency_spike_stretches_its_traces_and_changes_nothing_else(seed: u64, factor in 1.5..6.0f64) {
        let shape = shape(seed, 600);
        let spike = incident(&shape, Kind::LatencySpike, factor);
        let (plain, spiked) = (Traffic::new(shape.clone()), Traffic::with(shape, vec![spike.clone()]));
        for (before, after) in all(&plain).zip(all(&spiked)) {
            let of = before.project_id == spike.project && (spike.from..spike.to).contains(&before.started_at);
            if of {
                prop_assert!((before.total_duration_ms * factor - after.total_duration_ms).abs() <= 0.001);
                prop_assert_eq!(tokens(&before), tokens(&after));
            } else {
                prop_assert_eq!(before, after);
            }
        }
    }

    #[test]
    fn an_error_spike_fails_more_of_its_traces_and_none_less(seed: u64) {
        let shape = shape(seed, 600);
        let spike = incident(&shape, Kind::ErrorSpike, 5.0);
        let (plain, spiked) = (Traffic::new(shape.clone()), Traffic::with(shape, vec![spike.clone()]));
        for (before, after) in all(&plain).zip(all(&spiked)) {
            if before != after {
                prop_assert!(before.project_id == spike.project && (spike.from..spike.to).contains(&before.started_at));
                prop_assert_eq!(after.status, "failed");
                prop_assert!(before.status != "failed");
            }
        }
    }
}

// The incidents, as whoever has only the traces sees them.

struct Prices(PriceTable);

impl Prices {
    fn entry(&self, model: &str) -> Option<&PriceEntry> {
        let has = |text: &Option<String>, holds: fn(&str) -> bool| text.as_deref().is_none_or(holds);
        let known =
            self.0.models.iter().find(|one| one.model == model || one.aliases.iter().any(|name| name == model))?;
        known.prices.iter().find(|price| {
            has(&price.valid_from, |from| from < "2026-10-20") && has(&price.valid_to, |to| to > "2026-11-21")
        })
    }

    fn cost(&self, trace: &Trace) -> f64 {
        let of_span = |span: &Span| -> Option<f64> {
            let price = self.entry(span.model?)?;
            let (input, output): (f64, f64) = (price.input.parse().unwrap(), price.output.parse().unwrap());
            Some((input * span.input_tokens? as f64 + output * span.output_tokens? as f64) / 1e6)
        };
        trace.spans.iter().filter_map(of_span).sum()
    }
}

fn prices() -> Prices {
    Prices(schemas::prices::parse(SHIPPED).unwrap())
}

/// The mean and its standard error.
fn mean(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (mean, (variance / count).sqrt())
}

/// Compares the traces of an incident with the others of its project (and name): the ratio of the means is the factor.
#[track_caller]
fn assert_factor(traffic: &Traffic, truth: &Incident, most_off: f64, value: impl Fn(&Trace) -> f64) {
    let of =
        |trace: &Trace| trace.project_id == truth.project && truth.name.as_ref().is_none_or(|name| *name == trace.name);
    let (mut during, mut else_) = (Vec::new(), Vec::new());
    for trace in all(traffic).filter(of) {
        let values = if (truth.from..truth.to).contains(&trace.started_at) { &mut during } else { &mut else_ };
        values.push(value(&trace));
    }
    let ((a, of_a), (b, of_b)) = (mean(&during), mean(&else_));
    let ratio = a / b;
    let error = ratio * ((of_a / a).powi(2) + (of_b / b).powi(2)).sqrt();
    assert!(OFF * error < most_off * truth.factor, "{ratio} ± {error} says too little of {truth:?}");
    assert!(
        (ratio - truth.factor).abs() < OFF * error,
        "{ratio} ± {error} of {} and {}: {truth:?}",
        during.len(),
        else_.len()
    );
}

#[test]
fn the_means_during_an_incident_are_its_factor_times_the_others() {
    let prices = prices();
    let seconds = |trace: &Trace| trace.total_duration_ms;
    let failed = |trace: &Trace| f64::from(u8::from(trace.status == "failed"));
    let with = |seed, traces, kind, factor| {
        let shape = shape(seed, traces);
        let truth = incident(&shape, kind, factor);
        (Traffic::with(shape, vec![truth.clone()]), truth)
    };
    // The dearest models cost two hundred times what the cheapest do: means of costs take many traces.
    let (traffic, truth) = with(0, 120_000, Kind::CostSpike, 3.0);
    assert_factor(&traffic, &truth, 0.35, |trace| prices.cost(trace));
    for seed in 0..3 {
        let (traffic, truth) = with(seed, 30_000, Kind::LatencySpike, 3.0);
        assert_factor(&traffic, &truth, 0.25, seconds);
        let (traffic, truth) = with(seed, 30_000, Kind::ErrorSpike, 5.0);
        assert_factor(&traffic, &truth, 0.4, failed);
    }
}

#[test]
fn the_means_since_a_drift_are_its_factor_times_those_before() {
    let prices = prices();
    let planted = Traffic::new(Shape { incidents: 2, ..shape(5, 100) });
    let [cost, latency] = planted.incidents() else { panic!("{:?}", planted.incidents()) };
    assert_eq!((cost.kind, latency.kind), (Kind::CostDrift, Kind::LatencyDrift));
    let traffic = Traffic::with(shape(5, 60_000), vec![cost.clone()]);
    assert_factor(&traffic, cost, 0.35, |trace| prices.cost(trace));
    let traffic = Traffic::with(shape(5, 30_000), vec![latency.clone()]);
    assert_factor(&traffic, latency, 0.25, |trace| trace.total_duration_ms);
}

#[test]
fn a_volume_drop_leaves_a_tenth_of_the_traces_of_its_hours() {
    let shape = shape(6, 60_000);
    let drop = incident(&shape, Kind::VolumeDrop, 0.1);
    let during = |traffic: &Traffic| {
        let of = |trace: &Trace| trace.project_id == drop.project && (drop.from..drop.to).contains(&trace.started_at);
        all(traffic).filter(of).count() as f64
    };
    let usual = during(&Traffic::new(shape.clone()));
    let left = during(&Traffic::with(shape, vec![drop.clone()]));
    assert!(usual > 3_000.0);
    // What is missing here is spread over all other hours: less than 7 % of all.
    assert!((left - 0.1 * usual).abs() < OFF * left.sqrt() + 0.007 * usual, "{left} of {usual}");
}

// What it looks like.

#[test]
fn durations_and_costs_have_heavy_tails() {
    let prices = prices();
    let traffic = Traffic::new(shape(7, 20_000));
    let quantiles = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        [0.5, 0.99, 0.999].map(|share| values[(values.len() as f64 * share) as usize])
    };
    for values in [
        quantiles(all(&traffic).map(|trace| prices.cost(&trace)).filter(|cost| *cost > 0.0).collect()),
        quantiles(all(&traffic).map(|trace| trace.total_duration_ms).filter(|ms| *ms > 0.0).collect()),
    ] {
        assert!(values[1] > 5.0 * values[0] && values[2] > 1.3 * values[1], "{values:?}");
    }
}

#[test]
fn every_project_name_model_and_kind_of_span_comes_up() {
    let traffic = Traffic::new(Shape { projects: 20, names: 300, models: 40, ..shape(8, 40_000) });
    let (mut names, mut models, mut kinds) = (HashSet::new(), HashSet::new(), BTreeMap::new());
    for trace in all(&traffic) {
        for span in &trace.spans {
            *kinds.entry(span.span_type).or_insert(0) += 1;
            models.extend(span.model);
        }
        names.insert((trace.project_id, trace.name));
    }
    assert_eq!(names.len(), 300);
    assert_eq!(names.iter().map(|(project, _)| project).collect::<HashSet<_>>().len(), 20);
    assert_eq!(models.len(), 40);
    let wanted = ["action", "error", "llm_call", "reasoning", "tool_call", "tool_result"];
    assert_eq!(kinds.into_keys().collect::<Vec<_>>(), wanted);
}

#[test]
fn clients_try_again_after_some_errors_with_the_same_input() {
    let traffic = Traffic::new(shape(9, 5_000));
    let again = |trace: &Trace| {
        trace.spans.iter().zip(trace.spans.iter().skip(1)).any(|(failed, next)| {
            failed.error.is_some()
                && failed.span_type == "llm_call"
                && next.model.is_some()
                && failed.input == next.input
        })
    };
    let count = |status: &str| all(&traffic).filter(|trace| trace.status == status && again(trace)).count();
    assert!((50..500).contains(&count("completed")), "{}", count("completed"));
    assert!(count("failed") > 20);
}

#[test]
fn every_model_but_one_has_a_price() {
    let prices = prices();
    for model in retrace_traffic::models() {
        assert_eq!(prices.entry(model.name).is_none(), model.name == UNPRICED, "{}", model.name);
    }
}

#[test]
fn the_models_of_the_cost_drift_differ_by_its_factor_in_both_prices() {
    let prices = prices();
    let traffic = Traffic::new(Shape { incidents: 1, ..shape(10, 10) });
    let drift = &traffic.incidents()[0];
    let [before, after] = drift.models.unwrap().map(|model| prices.entry(model).unwrap());
    for (before, after) in [(&before.input, &after.input), (&before.output, &after.output)] {
        let (before, after): (f64, f64) = (before.parse().unwrap(), after.parse().unwrap());
        assert_eq!(before * drift.factor, after);
    }
    assert!(before.tiers.is_empty() && after.tiers.is_empty());
}
