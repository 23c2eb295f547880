//! The error rate: a beta-binomial whose rate and correlation come from earlier windows.

use super::correlation::{Trial, posterior};
use super::finding::{
    Detection, Finding, Kind, Missing, Need, Samples, Severity, Verdict, change_percent, missing_traces,
    missing_windows,
};
use super::level::{Point, fit};
use super::tails::beta_binomial_sf;
use super::{Bounds, Window};

/// Standard deviations from which on an earlier window is an incident.
const INCIDENT: f64 = 3.5;

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
    if all > bounds.count_level {
        let missing = Missing { need: Need::ExtremeP, needed: bounds.count_level, has: all };
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
        expected: (quantile(1.0 - bounds.count_level), quantile(bounds.count_level)),
        severity: (p_value <= bounds.count_level && material).then(|| Severity::of(ratio)),
    };
    answer(samples, Verdict::Judged(finding))
}

/// What rate a window should have.
struct Expected {
    seen: f64,
    /// With half a failure more, so that no failure so far does not mean none ever.
    rate: f64,
    /// Of two traces of a window, with their weights; what the rate's own error adds is in them.
    correlations: Vec<(f64, f64)>,
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
        let fit = fit(&points, INCIDENT, |_| 1.0);
        let seen_of =
            |weekday: u8| fit.mean(weekday, |place| windows[place].failed as f64 / windows[place].traces as f64);
        let seen: Vec<f64> = (0..7).map(seen_of).collect();
        let weights = fit.weights(weekday);
        let sum = |of: &dyn Fn(f64, f64) -> f64| -> f64 {
            weights.iter().zip(windows).map(|(weight, window)| of(*weight, window.traces as f64)).sum()
        };
        let traces = 1.0 / sum(&|weight, traces| weight * weight / traces);
        let kept = windows.iter().zip(&fit.kept).filter(|(_, kept)| **kept);
        let trial = |(window, _): (&&Window, &bool)| Trial {
            failed: window.failed as f64,
            traces: window.traces as f64,
            rate: seen[usize::from(window.weekday)],
        };
        let trials: Vec<Trial> = kept.map(trial).collect();
        let seen = seen[usize::from(weekday)];
        let rate = (seen * traces + 0.5) / (traces + 1.0);
        // Rates that were fitted to the windows make them look more alike than they are.
        let fitted = trials.len() as f64 / fit.freedom();
        let with_error = |(correlation, weight): (f64, f64)| {
            let correlation = correlation * fitted;
            let of_rate = fit.widening * sum(&|weight, traces| weight * weight * (correlation + 1.0 / traces));
            ((correlation + of_rate + fit.shrinkage_variance(weekday)).min(0.999), weight)
        };
        Expected {
            seen,
            rate,
            correlations: posterior(&trials, rate, fit.df).into_iter().map(with_error).collect(),
            set_aside: fit.kept.iter().filter(|kept| !**kept).count(),
        }
    }

    /// P(F ≥ failed).
    fn at_least(&self, failed: u64, traces: u64) -> f64 {
        let tail =
            |(correlation, weight): &(f64, f64)| weight * beta_binomial_sf(failed, traces, self.rate, *correlation);
        self.correlations.iter().map(tail).sum()
    }

    /// The most failures that are exceeded with this probability or more, none where none is; to within a hundredth of
    /// those expected.
    fn quantile(&self, tail: f64, traces: u64) -> u64 {
        let mean = self.rate * traces as f64;
        let (mut low, mut high) = (0, ((3.0 * mean) as u64 + 3).min(traces));
        while high < traces && self.at_least(high + 1, traces) > tail {
            (low, high) = (high, high.saturating_mul(2).min(traces));
        }
        while high - low > (mean / 100.0) as u64 {
            let middle = low + (high - low) / 2;
            if self.at_least(middle + 1, traces) > tail { low = middle + 1 } else { high = middle }
        }
        high
    }
}
