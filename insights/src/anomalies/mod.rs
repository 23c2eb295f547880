//! Anomalies: is the last window's cost, latency, error rate or number of traces beyond what the same hours of earlier days
//! make expected, and materially?
//!
//! Windows, not traces, are what varies: each day has a level of its own ([`level`]), around the level of its weekday,
//! and incidents among the earlier days are set aside. The tail is that of a new window, given all that is only estimated
//! ([`tails`]): normal scores of amounts have Student's, failures a beta-binomial, numbers of traces a negative binomial.

mod amounts;
mod correlation;
mod errors;
mod finding;
mod level;
mod scores;
mod spread;
mod tails;
mod volume;
mod weekdays;
mod window;

pub use finding::{Detection, Finding, Kind, Missing, Need, Samples, Severity, Verdict};
pub use tails::{beta_binomial_sf, negative_binomial_cdf, over_variance, student_sf};
pub use window::{Window, days_back};

/// What an anomaly must be.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// p at or below this, one-sided: of cost and latency, and of counts, whose tails bursts make longer than any model of
    /// them has.
    pub amount_level: f64,
    pub count_level: f64,
    /// At least so many times what was expected, for spikes; at most so many times, for drops.
    pub spike_ratio: f64,
    pub drop_ratio: f64,
    /// An error rate must have risen by so much. A lower rate than `error_floor` is compared as if it were that.
    pub error_increase: f64,
    pub error_floor: f64,
    /// So many earlier windows are needed, or of the same weekday `min_weeks`.
    pub min_windows: usize,
    pub min_weeks: usize,
    pub min_baseline_traces: u64,
    pub min_current_traces: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds {
            amount_level: 0.002,
            count_level: 0.001,
            spike_ratio: 1.5,
            drop_ratio: 0.5,
            error_increase: 0.02,
            error_floor: 0.01,
            min_windows: 7,
            min_weeks: 4,
            min_baseline_traces: 50,
            min_current_traces: 10,
        }
    }
}

impl Bounds {
    pub fn level(&self, kind: Kind) -> f64 {
        match kind {
            Kind::CostSpike | Kind::LatencySpike => self.amount_level,
            Kind::ErrorSpike | Kind::VolumeDrop => self.count_level,
        }
    }
}

/// All four detectors. `baseline` has every earlier window at the current one's hours, those without traces too, but none
/// that began before there was history.
pub fn detect(baseline: &[Window], current: &Window, bounds: &Bounds) -> [Detection; 4] {
    [
        amounts::detect(Kind::CostSpike, baseline, current, bounds),
        amounts::detect(Kind::LatencySpike, baseline, current, bounds),
        errors::detect(baseline, current, bounds),
        volume::detect(baseline, current, bounds),
    ]
}
