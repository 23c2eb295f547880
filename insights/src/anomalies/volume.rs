//! The number of traces: a negative binomial whose mean and spread come from earlier windows.

use super::finding::{
    Detection, Finding, Kind, Missing, Need, Samples, Severity, Verdict, change_percent, missing_windows,
};
use super::level::{Fit, Point, fit};
use super::tails::{negative_binomial_cdf, over_variance};
use super::{Bounds, Window};

/// Standard deviations from which on an earlier window is an incident. Traces in bursts have longer tails, and incidents of
/// the volume are large.
const INCIDENT: f64 = 4.0;

pub(super) fn detect(baseline: &[Window], current: &Window, bounds: &Bounds) -> Detection {
    let mut samples = Samples {
        baseline_windows: baseline.len(),
        set_aside: 0,
        baseline_traces: baseline.iter().map(|window| window.traces).sum(),
        current_traces: current.traces,
    };
    let answer = |samples, verdict| Detection { kind: Kind::VolumeDrop, samples, verdict };
    if let Some(missing) = missing_windows(baseline.iter(), current, bounds) {
        return answer(samples, Verdict::InsufficientData(vec![missing]));
    }
    let expected = Expected::of(baseline, current.weekday);
    samples.set_aside = expected.set_aside;
    let none = expected.at_most(0);
    if none > bounds.count_level {
        let missing = Missing { need: Need::ExtremeP, needed: bounds.count_level, has: none };
        return answer(samples, Verdict::InsufficientData(vec![missing]));
    }
    let traces = current.traces as f64;
    let (p_value, ratio) = (expected.at_most(current.traces), traces / expected.mean);
    let drop = p_value <= bounds.count_level && ratio <= bounds.drop_ratio;
    let finding = Finding {
        baseline: expected.mean,
        current: traces,
        change_percent: change_percent(expected.mean, traces),
        ratio,
        p_value,
        expected: (expected.quantile(bounds.count_level), expected.quantile(1.0 - bounds.count_level)),
        severity: drop.then(|| Severity::of(1.0 / ratio)),
    };
    answer(samples, Verdict::Judged(finding))
}

/// What number a window should have. Spreads are relative to the square of the mean.
struct Expected {
    mean: f64,
    /// Between windows, and what their counts add to that.
    spread: f64,
    sampling: f64,
    /// Of the mean: by the windows it comes from, and by the weekday's own level.
    of_mean: f64,
    of_weekday: f64,
    df: f64,
    set_aside: usize,
}

impl Expected {
    fn of(baseline: &[Window], weekday: u8) -> Expected {
        // Square roots of counts have a variance of 1/4 (Anscombe, 1948), and of more by their share of the mean.
        let point = |window: &Window| Point {
            days_back: window.days_back,
            weekday: window.weekday,
            value: 2.0 * (window.traces as f64 + 0.375).sqrt(),
            sampling: 1.0,
        };
        let points: Vec<Point> = baseline.iter().map(point).collect();
        let fit = fit(&points, INCIDENT, |level| (level / 2.0).powi(2));
        let mean_of = |weekday: u8| fit.mean(weekday, |place| baseline[place].traces as f64);
        let means: Vec<f64> = (0..7).map(mean_of).collect();
        let (spread, sampling) = moments(baseline, &fit, &means);
        let mean = means[usize::from(weekday)];
        let of_mean = |(weight, window): (f64, &Window)| {
            weight * weight * (spread + 1.0 / means[usize::from(window.weekday)].max(1e-9))
        };
        Expected {
            mean,
            spread,
            sampling,
            of_mean: fit.widening
                * fit
                    .weights(weekday)
                    .into_iter()
                    .zip(baseline)
                    .filter(|(weight, _)| *weight > 0.0)
                    .map(of_mean)
                    .sum::<f64>(),
            of_weekday: fit.shrinkage_variance(weekday) / mean.max(1e-9),
            df: fit.df,
            set_aside: fit.kept.iter().filter(|kept| !**kept).count(),
        }
    }

    /// P(N ≤ count).
    fn at_most(&self, count: u64) -> f64 {
        over_variance(self.df, |factor| {
            let between = ((self.spread + self.sampling) * factor - self.sampling).max(0.0);
            negative_binomial_cdf(count, self.mean, between + self.of_mean * factor + self.of_weekday)
        })
    }

    /// To within half a percent of the mean.
    fn quantile(&self, share: f64) -> f64 {
        let close = (self.mean / 200.0) as u64;
        let (mut low, mut high) = (0u64, (2.0 * self.mean) as u64 + 1);
        while self.at_most(high) < share {
            (low, high) = (high, high.saturating_mul(2));
        }
        while high - low > close {
            let middle = low + (high - low) / 2;
            if self.at_most(middle) < share { low = middle + 1 } else { high = middle }
        }
        high as f64
    }
}

/// The spread between windows beyond Poisson's, and Poisson's on the same scale.
fn moments(baseline: &[Window], fit: &Fit, means: &[f64]) -> (f64, f64) {
    let (mut squares, mut sum, mut scale, mut windows) = (0.0, 0.0, 0.0, 0.0);
    for (window, _) in baseline.iter().zip(&fit.kept).filter(|(_, kept)| **kept) {
        let mean = means[usize::from(window.weekday)];
        squares += (window.traces as f64 - mean).powi(2);
        sum += mean;
        scale += mean * mean;
        windows += 1.0;
    }
    let scale = scale.max(1e-9);
    ((squares * windows / fit.freedom() - sum).max(0.0) / scale, sum / scale)
}
