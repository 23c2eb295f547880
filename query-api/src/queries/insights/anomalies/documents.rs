//! The answers. Costs are US dollars, durations milliseconds, error rates shares of ended traces.

use insights::anomalies::Severity;
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
pub struct AnomaliesOut {
    /// The gravest first
    pub anomalies: Vec<AnomalyOut>,
    pub window_hours: u16,
    /// Ended traces of the same hours of earlier days
    pub baseline_traces: u64,
    pub recent_traces: u64,
    /// The window
    pub from: String,
    pub to: String,
    /// What could not be judged, and what is missing for it
    pub insufficient_data: Vec<Insufficient>,
}

#[derive(Serialize, ToSchema)]
pub struct AnomalyOut {
    /// cost_spike, latency_spike, error_spike or volume_drop
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// By the factor of the deviation: low below 2, medium below 3, high below 5, then critical
    pub severity: &'static str,
    /// avg_cost_per_trace, avg_duration_per_trace, error_rate or traces
    pub metric: &'static str,
    pub baseline: f64,
    pub current: f64,
    #[serde(rename = "changePercent")]
    pub change_percent: Option<f64>,
    pub evidence: EvidenceOut,
    #[serde(skip)]
    #[schema(ignore)]
    pub rank: Severity,
}

#[derive(Serialize, ToSchema)]
pub struct EvidenceOut {
    /// Of a window as far off as this one, one-sided
    #[serde(rename = "pValue")]
    pub p_value: f64,
    /// The factor between what was expected and what is; of amounts that of the typical trace
    pub ratio: f64,
    /// Where the metric lies when nothing is wrong
    pub expected_from: f64,
    pub expected_to: f64,
    pub baseline_windows: u64,
    /// Earlier windows that were incidents themselves
    pub windows_set_aside: u64,
    pub baseline_traces: u64,
    pub current_traces: u64,
    /// The trace name that contributes most
    pub worst_name: Option<String>,
    /// The dearest, slowest or newest failed traces of the window
    pub example_trace_ids: Vec<String>,
}

#[derive(Serialize, ToSchema)]
pub struct Insufficient {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub missing: Vec<MissingOut>,
}

#[derive(Serialize, ToSchema)]
pub struct MissingOut {
    /// baseline_windows, baseline_traces, current_traces, or extreme_p: no outcome could be significant
    pub what: &'static str,
    pub needed: f64,
    pub has: f64,
}

#[derive(Serialize, ToSchema)]
pub struct BacktestOut {
    pub from: String,
    pub to: String,
    pub window_hours: u16,
    pub step_hours: u16,
    /// Moments at which the question was asked
    pub evaluated: u64,
    /// Of these, how many could not be judged
    pub insufficient_data: BacktestGaps,
    /// Moments in a row at which the same was the matter
    pub episodes: Vec<Episode>,
    /// What holds of a backtest
    pub note: &'static str,
}

#[derive(Default, Serialize, ToSchema)]
pub struct BacktestGaps {
    pub cost_spike: u64,
    pub latency_spike: u64,
    pub error_spike: u64,
    pub volume_drop: u64,
}

#[derive(Serialize, ToSchema)]
pub struct Episode {
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The gravest
    pub severity: &'static str,
    pub metric: &'static str,
    /// The first moment at which it would have been reported
    pub detected_at: String,
    /// The last one
    pub until: String,
    /// Where it was gravest
    pub baseline: f64,
    pub current: f64,
    #[serde(rename = "changePercent")]
    pub change_percent: Option<f64>,
    #[serde(rename = "pValue")]
    pub p_value: f64,
}
