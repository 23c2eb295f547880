//! Cost and latency: the mean normal score of the window's traces beside those of earlier windows.

use super::finding::{
    Detection, Finding, Kind, Samples, Severity, Verdict, change_percent, missing_traces, missing_windows,
};
use super::level::{Fit, Point, fit};
use super::scores::{Scores, count};
use super::tails::student_sf;
use super::{Bounds, Window};
use crate::histogram::Histogram;

/// Standard deviations from which on an earlier window is an incident.
const INCIDENT: f64 = 3.5;

fn of(kind: Kind, window: &Window) -> &Histogram {
    if kind == Kind::CostSpike { &window.cost } else { &window.duration }
}

pub(super) fn detect(kind: Kind, baseline: &[Window], current: &Window, bounds: &Bounds) -> Detection {
    let windows: Vec<&Window> = baseline.iter().filter(|window| count(of(kind, window)) > 0.0).collect();
    let mut samples = Samples {
        baseline_windows: windows.len(),
        set_aside: 0,
        baseline_traces: windows.iter().map(|window| count(of(kind, window))).sum::<f64>() as u64,
        current_traces: count(of(kind, current)) as u64,
    };
    let mut missing: Vec<_> = missing_windows(windows.iter().copied(), current, bounds).into_iter().collect();
    missing.extend(missing_traces(samples, bounds));
    if !missing.is_empty() {
        return Detection { kind, samples, verdict: Verdict::InsufficientData(missing) };
    }
    // Incidents that are set aside are no part of the scores either.
    let everything = Scored::of(kind, &windows, |_| true);
    let scored = Scored::of(kind, &windows, |place| everything.fit.kept[place]);
    samples.set_aside = scored.fit.kept.iter().filter(|kept| !**kept).count();
    let finding = scored.judge(kind, &windows, current, bounds);
    Detection { kind, samples, verdict: Verdict::Judged(finding) }
}

struct Scored {
    scores: Scores,
    /// Of a trace's score, within its window.
    within: f64,
    sampling: Vec<f64>,
    fit: Fit,
}

impl Scored {
    fn of(kind: Kind, windows: &[&Window], scoring: impl Fn(usize) -> bool) -> Scored {
        let chosen =
            windows.iter().enumerate().filter(|(place, _)| scoring(*place)).map(|(_, window)| of(kind, window));
        let scores = Scores::of(chosen);
        let summaries: Vec<_> = windows.iter().map(|window| scores.summary(of(kind, window))).collect();
        let (mut squares, mut df) = (0.0, 0.0);
        for (_, (number, _, around)) in summaries.iter().enumerate().filter(|(place, _)| scoring(*place)) {
            squares += around;
            df += number - 1.0;
        }
        // Single traces in their windows tell nothing of what is within.
        let within = if df >= windows.len() as f64 { squares / df } else { 1.0 };
        let point = |(window, (number, mean, _)): (&&Window, &(f64, f64, f64))| Point {
            days_back: window.days_back,
            weekday: window.weekday,
            value: *mean,
            sampling: within / number,
        };
        let points: Vec<Point> = windows.iter().zip(&summaries).map(point).collect();
        let sampling = points.iter().map(|point| point.sampling).collect();
        Scored { fit: fit(&points, INCIDENT, |_| 1.0), scores, within, sampling }
    }

    fn judge(&self, kind: Kind, windows: &[&Window], current: &Window, bounds: &Bounds) -> Finding {
        let (fit, amounts) = (&self.fit, of(kind, current));
        let (number, mean, _) = self.scores.summary(amounts);
        let level = fit.mean(current.weekday, |place| self.scores.summary(of(kind, windows[place])).1);
        let errors = fit.weights(current.weekday).into_iter().zip(&self.sampling);
        let of_level = errors.map(|(weight, sampling)| weight * weight * (sampling + fit.spread)).sum::<f64>();
        let variance =
            self.within / number + fit.spread + fit.widening * of_level + fit.shrinkage_variance(current.weekday);
        let deviation = variance.sqrt().max(1e-6);
        let p_value = student_sf((mean - level) / deviation, fit.df);
        let ratio = self.scores.ratio(amounts, level);
        let baseline = fit.mean(current.weekday, |place| of(kind, windows[place]).mean().unwrap_or(0.0));
        let current = amounts.mean().unwrap_or(0.0);
        let reach = deviation * student_quantile(bounds.amount_level, fit.df);
        let expected = |sign: f64| baseline * ratio / self.scores.ratio(amounts, level + sign * reach);
        let spike = p_value <= bounds.amount_level && ratio >= bounds.spike_ratio;
        Finding {
            baseline,
            current,
            change_percent: change_percent(baseline, current),
            ratio,
            p_value,
            expected: (expected(-1.0), expected(1.0)),
            severity: spike.then(|| Severity::of(ratio)),
        }
    }
}

/// The t beyond which Student's distribution has so much.
fn student_quantile(tail: f64, df: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1e6);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if student_sf(middle, df) > tail { low = middle } else { high = middle }
    }
    high
}
