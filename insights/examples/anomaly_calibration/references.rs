//! What the detectors are measured beside: what could be found if everything about the traffic were known, and simpler
//! detectors.

use retrace_insights::anomalies::{
    Bounds, Detection, Kind, Window, beta_binomial_sf, detect, negative_binomial_cdf, student_sf,
};
use retrace_insights::histogram::{Histogram, middle};

use crate::traffic::Traffic;

pub fn told_errors(traffic: Traffic, current: &Window) -> f64 {
    let correlation = traffic.common.powi(2) * traffic.error_rate / (1.0 - traffic.error_rate);
    beta_binomial_sf(current.failed, current.traces, traffic.error_rate, correlation)
}

/// Of lognormal costs, with the level of the average day.
pub fn told_cost(traffic: Traffic, current: &Window) -> f64 {
    let traces = current.cost.total() as f64;
    let mean = mean_log(&current.cost);
    let deviation = (traffic.common.powi(2) + traffic.deviation.powi(2) / traces).sqrt();
    student_sf((mean - 1e9f64.ln() + traffic.common.powi(2) / 2.0) / deviation, 1e6)
}

fn mean_log(amounts: &Histogram) -> f64 {
    let logs = amounts.iter().map(|(bucket, count)| middle(bucket).ln() * count as f64);
    logs.sum::<f64>() / amounts.total() as f64
}

/// Whether a window is reported, given the earlier ones.
type Detector = fn(&[Window], &Window) -> bool;

pub const SIMPLER: [(&str, Kind, Detector); 7] = [
    ("cost: this", Kind::CostSpike, |baseline, current| this(Kind::CostSpike, baseline, current)),
    ("cost: t of the windows' means", Kind::CostSpike, |baseline, current| {
        t_test(baseline, current, |window| window.cost.mean().unwrap_or(f64::NAN))
    }),
    ("cost: t of their mean logarithms", Kind::CostSpike, |baseline, current| {
        t_test(baseline, current, |window| mean_log(&window.cost))
    }),
    ("errors: this", Kind::ErrorSpike, |baseline, current| this(Kind::ErrorSpike, baseline, current)),
    ("errors: binomial, of all windows", Kind::ErrorSpike, |baseline, current| {
        let failed: u64 = baseline.iter().map(|window| window.failed).sum();
        let rate = failed as f64 / baseline.iter().map(|window| window.traces).sum::<u64>() as f64;
        let times = current.failed as f64 / current.traces as f64 / rate;
        times >= 1.5 && beta_binomial_sf(current.failed, current.traces, rate, 0.0) <= Bounds::default().count_level
    }),
    ("volume: this", Kind::VolumeDrop, |baseline, current| this(Kind::VolumeDrop, baseline, current)),
    ("volume: Poisson, of all windows", Kind::VolumeDrop, |baseline, current| {
        let mean = baseline.iter().map(|window| window.traces).sum::<u64>() as f64 / baseline.len() as f64;
        let p = negative_binomial_cdf(current.traces, mean, 0.0);
        p <= Bounds::default().count_level && current.traces as f64 <= mean / 2.0
    }),
];

pub fn this(kind: Kind, baseline: &[Window], current: &Window) -> bool {
    let anomaly = |detection: Detection| detection.kind == kind && detection.severity().is_some();
    detect(baseline, current, &Bounds::default()).into_iter().any(anomaly)
}

fn t_test(baseline: &[Window], current: &Window, of: impl Fn(&Window) -> f64) -> bool {
    let values: Vec<f64> = baseline.iter().map(&of).filter(|value| value.is_finite()).collect();
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
    student_sf((of(current) - mean) / (variance * (1.0 + 1.0 / count)).sqrt(), count - 1.0)
        <= Bounds::default().amount_level
}
