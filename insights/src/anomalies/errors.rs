//! The error rate: a beta-binomial whose rate and correlation come from earlier windows.

use super::finding::{
    Detection, Finding, Kind, Missing, Need, Samples, Severity, Verdict, change_percent, missing_traces,
    missing_windows,
};
use super::level::{Fit, Point, fit};
use super::tails::{beta_binomial_sf, over_variance};
use super::{Bounds, Window};

pub(super) fn detect(baseline: &[Window], current: &Window, bounds: &Bounds) -> Detection {
    let windows: Vec<&Window> = baseline.iter().filter(|window| window.traces > 0).collect();
    let mut samples = Samples {
        baseline_windows: windows.len(),
        set_aside: 0,
        baseline_traces: windows.iter().map(|window| window.traces).sum(),
        current_traces: current.traces,
    };
    let answer = |samples, verdict| Detection { kind: Kind::ErrorSpike, samples, verdict };
    let mut missing: Vec<Missing> = missing_windows(windows.iter().copied(), current, bounds).into_iter().collect();
    missing.extend(missing_traces(samples, bounds));
    if !missing.is_empty() {
        return answer(samples, Verdict::InsufficientData(missing));
    }
    let expected = Expected::of(&windows, current.weekday);
    samples.set_aside = expected.set_aside;
    let all = expected.at_least(current.traces, current.traces);
    if all > bounds.level {
        let missing = Missing { need: Need::ExtremeP, needed: bounds.level, has: all };
        return answer(samples, Verdict::InsufficientData(vec![missing]));
    }
    let rate = current.failed as f64 / current.traces as f64;
    let p_value = expected.at_least(current.failed, current.traces);
    let ratio = rate / expected.seen.max(bounds.error_floor);
    let material = ratio >= bounds.spike_ratio && rate - expected.seen >= bounds.error_increase;
    let quantile = |tail: f64| expected.quantile(tail, current.traces) as f64 / current.traces as f64;
    let finding = Finding {
        baseline: expected.seen,
        current: rate,
        change_percent: change_percent(expected.seen, rate),
        ratio,
        p_value,
        expected: (quantile(1.0 - bounds.level), quantile(bounds.level)),
        severity: (p_value <= bounds.level && material).then(|| Severity::of(ratio)),
    };
    answer(samples, Verdict::Judged(finding))
}

/// What rate a window should have. Variances are in units of rate · (1 - rate).
struct Expected {
    seen: f64,
    /// With half a failure more, so that no failure so far does not mean none ever.
    rate: f64,
    /// Correlation of two traces of a window, and what numbers of traces add to the variance between windows.
    correlation: f64,
    sampling: f64,
    /// Of the rate: by the windows it comes from, and by the weekday's own level.
    of_rate: f64,
    of_weekday: f64,
    df: f64,
    set_aside: usize,
}

impl Expected {
    fn of(windows: &[&Window], weekday: u8) -> Expected {
        // Arcsines of roots of rates have a variance of 1/4n (Anscombe, 1948).
        let point = |window: &&Window| {
            let (failed, traces) = (window.failed as f64, window.traces as f64);
            let share = ((failed + 0.375) / (traces + 0.75)).min(1.0);
            let value = 2.0 * share.sqrt().asin();
            Point { days_back: window.days_back, weekday: window.weekday, value, sampling: 1.0 / (traces + 0.5) }
        };
        let points: Vec<Point> = windows.iter().map(point).collect();
        let fit = fit(&points, |_| 1.0);
        let seen_of =
            |weekday: u8| fit.mean(weekday, |place| windows[place].failed as f64 / windows[place].traces as f64);
        let seen: Vec<f64> = (0..7).map(seen_of).collect();
        let (correlation, sampling) = moments(windows, &fit, &seen);
        let weights = fit.weights(weekday);
        let sum = |of: &dyn Fn(f64, f64) -> f64| -> f64 {
            weights.iter().zip(windows).map(|(weight, window)| of(*weight, window.traces as f64)).sum()
        };
        let traces = 1.0 / sum(&|weight, traces| weight * weight / traces);
        let seen = seen[usize::from(weekday)];
        Expected {
            seen,
            rate: (seen * traces + 0.5) / (traces + 1.0),
            correlation,
            sampling,
            of_rate: fit.widening * sum(&|weight, traces| weight * weight * (correlation + 1.0 / traces)),
            of_weekday: fit.shrinkage_variance(weekday),
            df: fit.df,
            set_aside: fit.kept.iter().filter(|kept| !**kept).count(),
        }
    }

    /// P(F ≥ failed).
    fn at_least(&self, failed: u64, traces: u64) -> f64 {
        over_variance(self.df, |factor| {
            let between = ((self.correlation + self.sampling) * factor - self.sampling).max(0.0);
            let correlation = (between + self.of_rate * factor + self.of_weekday).min(0.999);
            beta_binomial_sf(failed, traces, self.rate, correlation)
        })
    }

    /// The most failures that are exceeded with this probability or more; none where none is.
    fn quantile(&self, tail: f64, traces: u64) -> u64 {
        let (mut low, mut high) = (0, traces);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.at_least(middle + 1, traces) > tail { low = middle + 1 } else { high = middle }
        }
        low
    }
}

/// The correlation of traces within windows, and the binomial variance on the same scale.
fn moments(windows: &[&Window], fit: &Fit, rates: &[f64]) -> (f64, f64) {
    let (mut squares, mut binomial, mut scale, mut kept) = (0.0, 0.0, 0.0, 0.0);
    for (window, _) in windows.iter().zip(&fit.kept).filter(|(_, kept)| **kept) {
        let (rate, traces) = (rates[usize::from(window.weekday)], window.traces as f64);
        squares += (window.failed as f64 - traces * rate).powi(2);
        binomial += traces * rate * (1.0 - rate);
        scale += traces * (traces - 1.0) * rate * (1.0 - rate);
        kept += 1.0;
    }
    let scale = scale.max(1e-9);
    ((squares * kept / fit.freedom() - binomial).max(0.0).min(scale) / scale, binomial / scale)
}
