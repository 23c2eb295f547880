//! The answer. Means are those of ended traces: US dollars, tokens, milliseconds, share of failures.

use serde::Serialize;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
pub struct DriftOut {
    pub project_id: Option<String>,
    pub metrics: Vec<MetricDrift>,
    pub baseline_window: Window,
    pub current_window: Window,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// With `by`: the groups with the most traces
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<GroupDrift>>,
    /// With `by`: over all groups, how the change of each mean comes about
    #[serde(skip_serializing_if = "Option::is_none")]
    pub splits: Option<Vec<Split>>,
}

#[derive(Serialize, ToSchema)]
pub struct MetricDrift {
    /// cost, tokens, duration or error_rate
    pub metric: &'static str,
    /// Mean of the baseline
    pub baseline: Option<f64>,
    pub current: Option<f64>,
    #[serde(rename = "changePercent")]
    pub change_percent: Option<f64>,
    /// The larger of two tests: of single traces, and of whole days
    #[serde(rename = "pValue")]
    pub p_value: Option<f64>,
    /// By Benjamini and Hochberg over everything in this answer
    #[serde(rename = "adjustedPValue")]
    pub adjusted_p_value: Option<f64>,
    /// How far apart the distributions are, in standard deviations of the baseline; of errors Cohen's h
    pub effect: Option<f64>,
    /// Significant, and material
    pub drifted: bool,
    pub baseline_samples: u64,
    pub current_samples: u64,
    /// Why there is no p-value
    #[serde(skip_serializing_if = "Option::is_none")]
    pub insufficient_data: Option<&'static str>,
}

#[derive(Serialize, ToSchema)]
pub struct Window {
    pub from: String,
    pub to: String,
}

#[derive(Serialize, ToSchema)]
pub struct GroupDrift {
    /// Null: traces that have none
    pub value: Option<String>,
    /// Of the traces in the window
    pub baseline_share: f64,
    pub current_share: f64,
    pub metrics: Vec<MetricDrift>,
}

#[derive(Serialize, ToSchema)]
pub struct Split {
    pub metric: &'static str,
    /// Of the mean; the sum of the other two
    pub change: f64,
    /// By other shares of the groups
    pub mix: f64,
    /// By other means within them
    pub within: f64,
}
