//! Histograms and drift, beside scipy (golden/two_sample.py) and on samples whose truth is known.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;
use retrace_insights::drift::{
    Block, Errors, Permutations, amounts, distance, error_rate, false_discovery, kolmogorov_smirnov, two_proportions,
};
use retrace_insights::histogram::{Histogram, bucket, middle};
use serde_json::Value;

fn histogram(values: &Value) -> Histogram {
    let mut histogram = Histogram::default();
    for value in values.as_array().unwrap() {
        histogram.record(u128::from(value.as_u64().unwrap()));
    }
    histogram
}

fn close(ours: f64, expected: &Value, what: &str, line: usize) {
    let expected = expected.as_f64().unwrap();
    let off = (ours - expected).abs();
    assert!(off <= 1e-9 + 1e-7 * expected.abs(), "case {line}: {what} is {ours}, scipy says {expected}");
}

fn errors_of(failed: u64, traces: u64) -> Errors {
    Errors { failed, succeeded: traces - failed }
}

#[test]
fn a_thousand_random_inputs_give_what_scipy_gives() {
    let mut cases = 0;
    for (line, text) in include_str!("golden/two_sample.jsonl").lines().enumerate() {
        let case: Value = serde_json::from_str(text).unwrap();
        let (a, b) = (histogram(&case["a"]), histogram(&case["b"]));
        let apart = kolmogorov_smirnov(&a, &b).unwrap();
        close(apart.statistic, &case["ks"], "D", line);
        close(apart.p_value, &case["ks_p"], "the p of D", line);
        close(distance(&a, &b).unwrap(), &case["distance"], "the distance", line);
        close(a.mean().unwrap(), &case["mean"], "the mean", line);
        let (quantile, exact) = (a.quantile(case["q"].as_f64().unwrap()).unwrap(), case["quantile"].as_f64().unwrap());
        assert!((quantile - exact).abs() <= exact * 0.01, "case {line}: quantile {quantile}, exactly {exact}");
        let errors: Vec<u64> = case["errors"].as_array().unwrap().iter().map(|count| count.as_u64().unwrap()).collect();
        let (before, after) = (errors_of(errors[0], errors[1]), errors_of(errors[2], errors[3]));
        close(two_proportions(before, after).unwrap(), &case["errors_p"], "the p of the shares", line);
        let p_values: Vec<f64> = case["p"].as_array().unwrap().iter().map(|p| p.as_f64().unwrap()).collect();
        for (ours, expected) in false_discovery(&p_values).into_iter().zip(case["adjusted"].as_array().unwrap()) {
            close(ours, expected, "an adjusted p", line);
        }
        cases += 1;
    }
    assert_eq!(cases, 1000);
}

/// 28 days, of which the last 7 are the current ones; `value` gives the amounts of a day.
fn month(value: impl Fn(u64, u64) -> u128, traces: u64) -> Vec<Block<Histogram>> {
    (0..28)
        .map(|day| {
            let mut sample = Histogram::default();
            (0..traces).for_each(|trace| sample.record(value(day, trace)));
            Block { stratum: (day % 7) as u16, current: day >= 21, sample }
        })
        .collect()
}

fn spread(day: u64, trace: u64) -> u128 {
    1_000 + u128::from((day * 7919 + trace * 104_729) % 1_000)
}

#[test]
fn what_doubled_has_drifted_and_what_cycles_has_not() {
    let doubled = month(|day, trace| spread(day, trace) * if day >= 21 { 2 } else { 1 }, 50);
    let found = amounts(&doubled, Permutations::default()).unwrap();
    assert!(found.p_value < 0.001 && found.effect > 1.0, "{found:?}");
    assert!((found.current / found.baseline - 2.0).abs() < 0.05, "{found:?}");
    let weekends = month(|day, trace| spread(day, trace) * if day % 7 >= 5 { 3 } else { 1 }, 50);
    let found = amounts(&weekends, Permutations::default()).unwrap();
    assert!(found.p_value > 0.05, "{found:?}");
}

#[test]
fn one_bad_day_is_no_drift_and_a_bad_week_is() {
    let rate = |failed: &dyn Fn(u64) -> u64| -> Vec<Block<Errors>> {
        (0..28)
            .map(|day| Block { stratum: (day % 7) as u16, current: day >= 21, sample: errors_of(failed(day), 200) })
            .collect()
    };
    let found = error_rate(&rate(&|day| if day == 24 { 150 } else { 4 + day % 3 }), Permutations::default()).unwrap();
    assert!(found.p_value > 0.05, "{found:?}");
    let found = error_rate(&rate(&|day| if day >= 21 { 30 } else { 4 + day % 3 }), Permutations::default()).unwrap();
    assert!(found.p_value < 0.001 && found.current == 0.15, "{found:?}");
}

#[test]
fn too_little_says_nothing() {
    let days = month(spread, 10);
    assert_eq!(amounts(&days[..21], Permutations::default()), None);
    assert_eq!(amounts(&days[19..23], Permutations::default()), None);
    assert_eq!(amounts(&[], Permutations::default()), None);
    assert_eq!(kolmogorov_smirnov(&Histogram::default(), &days[0].sample), None);
    assert_eq!(Histogram::default().quantile(0.5), None);
}

proptest! {
    #[test]
    fn a_value_is_within_half_a_percent_of_its_buckets_middle(value in any::<u64>(), bits in 0u32..64) {
        let value = u128::from(value >> bits);
        let off = (middle(bucket(value)) - value as f64).abs();
        prop_assert!(off <= value as f64 * 0.005 + 1e-9, "{value}: off by {off}");
    }

    #[test]
    fn what_is_subtracted_was_never_there(kept in proptest::collection::vec(any::<u32>(), 0..50), gone in proptest::collection::vec(any::<u32>(), 0..50)) {
        let of = |values: &[u32]| {
            let mut histogram = Histogram::default();
            values.iter().for_each(|value| histogram.record(u128::from(*value)));
            histogram
        };
        let mut both = of(&kept);
        both.merge(&of(&gone));
        both.subtract(&of(&gone));
        prop_assert_eq!(both, of(&kept));
    }
}
