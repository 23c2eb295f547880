//! What the detectors answer.

use super::{Bounds, Window};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    CostSpike,
    LatencySpike,
    ErrorSpike,
    VolumeDrop,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::CostSpike => "cost_spike",
            Kind::LatencySpike => "latency_spike",
            Kind::ErrorSpike => "error_spike",
            Kind::VolumeDrop => "volume_drop",
        }
    }

    pub fn metric(self) -> &'static str {
        match self {
            Kind::CostSpike => "avg_cost_per_trace",
            Kind::LatencySpike => "avg_duration_per_trace",
            Kind::ErrorSpike => "error_rate",
            Kind::VolumeDrop => "traces",
        }
    }
}

/// What one detector found.
#[derive(Clone, Debug, PartialEq)]
pub struct Detection {
    pub kind: Kind,
    pub samples: Samples,
    pub verdict: Verdict,
}

impl Detection {
    /// Of an anomaly.
    pub fn severity(&self) -> Option<Severity> {
        match &self.verdict {
            Verdict::Judged(finding) => finding.severity,
            Verdict::InsufficientData(_) => None,
        }
    }
}

/// What it rests on: of the traces that have the metric.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Samples {
    pub baseline_windows: usize,
    /// Of these, windows that were incidents themselves.
    pub set_aside: usize,
    pub baseline_traces: u64,
    pub current_traces: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    Judged(Finding),
    InsufficientData(Vec<Missing>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Finding {
    /// The metric in the earlier windows, weighed as they bear on this one's weekday; amounts in the histograms' unit.
    pub baseline: f64,
    pub current: f64,
    /// None: the baseline is 0.
    pub change_percent: Option<f64>,
    /// By what factor the window differs: of amounts the typical trace's, which a few extreme ones do not move.
    pub ratio: f64,
    /// Of a window as far off in the detector's direction.
    pub p_value: f64,
    /// Where the metric of a window lies, where nothing is wrong; it is above with a probability of the level, and below.
    pub expected: (f64, f64),
    /// None: no anomaly.
    pub severity: Option<Severity>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Missing {
    pub need: Need,
    pub needed: f64,
    pub has: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Earlier windows, with traces that have the metric unless that is their number.
    BaselineWindows,
    BaselineTraces,
    CurrentTraces,
    /// The p of the most extreme window there could be must reach the level.
    ExtremeP,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Low,
    Medium,
    High,
    Critical,
}

impl Severity {
    pub fn name(self) -> &'static str {
        match self {
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }

    /// By the factor of the deviation, 1 or more.
    pub(super) fn of(factor: f64) -> Severity {
        match factor {
            factor if factor >= 5.0 => Severity::Critical,
            factor if factor >= 3.0 => Severity::High,
            factor if factor >= 2.0 => Severity::Medium,
            _ => Severity::Low,
        }
    }
}

pub(super) fn change_percent(baseline: f64, current: f64) -> Option<f64> {
    (baseline != 0.0).then(|| (current - baseline) / baseline * 100.0)
}

/// What is missing of earlier windows that have the metric.
pub(super) fn missing_windows<'a>(
    windows: impl Iterator<Item = &'a Window>,
    current: &Window,
    bounds: &Bounds,
) -> Option<Missing> {
    let (mut all, mut same) = (0, 0);
    for window in windows {
        all += 1;
        same += usize::from(window.weekday == current.weekday);
    }
    let enough = all >= bounds.min_windows || (same == all && all >= bounds.min_weeks);
    (!enough).then_some(Missing { need: Need::BaselineWindows, needed: bounds.min_windows as f64, has: all as f64 })
}

/// What is missing of traces that have the metric.
pub(super) fn missing_traces(samples: Samples, bounds: &Bounds) -> impl Iterator<Item = Missing> {
    [
        (Need::BaselineTraces, bounds.min_baseline_traces, samples.baseline_traces),
        (Need::CurrentTraces, bounds.min_current_traces, samples.current_traces),
    ]
    .into_iter()
    .filter(|(_, needed, has)| has < needed)
    .map(|(need, needed, has)| Missing { need, needed: needed as f64, has: has as f64 })
}
