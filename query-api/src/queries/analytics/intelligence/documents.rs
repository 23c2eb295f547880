//! The answer.

use serde::Serialize;
use utoipa::ToSchema;

use crate::numbers::Number;
use crate::prices::ModelPrice;

#[derive(Serialize, ToSchema)]
pub struct CostIntelligenceOut {
    pub from: String,
    pub to: String,
    /// The dearest first
    #[serde(rename = "byFeature")]
    pub by_feature: Vec<FeatureCosts>,
    /// The dearest first
    #[serde(rename = "modelEfficiency")]
    pub model_efficiency: Vec<ModelEfficiency>,
    /// The largest saving first. Each is for itself: two about the same calls do not add up
    pub recommendations: Vec<Recommendation>,
}

/// The traces of a name.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FeatureCosts {
    pub name: String,
    /// US dollars a trace
    #[schema(value_type = f64)]
    pub avg_cost: Number,
    #[schema(value_type = f64)]
    pub total_cost: Number,
    /// Traces
    pub count: u64,
    /// Milliseconds a trace, of those whose duration is known
    #[schema(value_type = Option<f64>)]
    pub avg_duration: Option<Number>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModelEfficiency {
    pub model: String,
    /// US dollars
    #[schema(value_type = f64)]
    pub avg_cost_per_call: Number,
    pub avg_tokens: f64,
    /// Milliseconds a call, of those whose duration is known
    #[schema(value_type = Option<f64>)]
    pub avg_duration: Option<Number>,
    /// Calls
    pub count: i64,
    /// Calls with tokens and no known price: they are missing in the cost
    #[serde(rename = "unpriced_calls")]
    pub unpriced_calls: i64,
}

#[derive(Serialize, ToSchema)]
pub struct Recommendation {
    /// `model_downgrade`, `prompt_caching`, `retry_waste`, `long_context` or `duplicate_calls`
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// By the share of all costs that would be saved: `high` from 10 % on, `medium` from 2 % on, else `low`
    pub priority: &'static str,
    pub message: String,
    /// As `$3.00/month`; exact in the evidence
    pub potential_savings: String,
    pub evidence: Evidence,
}

/// From what the saving is computed: `savings_in_period` is `current_cost − projected_cost`, `savings_per_month` is that
/// times 30 / `period_days`.
#[derive(Serialize, ToSchema)]
pub struct Evidence {
    /// Of which traces, by name; null for traces without one
    pub feature: Option<String>,
    pub model: String,
    /// The model to take instead
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alternative: Option<String>,
    /// The calls that it is about
    pub calls: i64,
    /// Their tokens; where a part of these would be saved, that part is below
    pub input_tokens: i64,
    pub output_tokens: i64,
    pub cache_read_tokens: i64,
    /// US dollars: what these calls have cost. Where calls get cheaper, at the prices below
    #[schema(value_type = f64)]
    pub current_cost: Number,
    #[schema(value_type = f64)]
    pub projected_cost: Number,
    #[schema(value_type = f64)]
    pub savings_in_period: Number,
    #[schema(value_type = f64)]
    pub savings_per_month: Number,
    pub period_days: f64,
    /// By the number of calls: `high` from 1,000 on, `medium` from 300 on, else `low`
    pub confidence: &'static str,
    /// The entries used, that of the model first
    pub prices: Vec<ModelPrice>,
    /// Three at the most
    pub example_trace_ids: Vec<String>,
    /// `model_downgrade`: of the feature's traces
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_rate: Option<f64>,
    /// `model_downgrade`: of the feature's feedback; null without any
    #[serde(skip_serializing_if = "Option::is_none")]
    pub negative_feedback_rate: Option<f64>,
    /// `model_downgrade`: of the calls, those with short answers
    #[serde(skip_serializing_if = "Option::is_none")]
    pub short_answers: Option<f64>,
    /// `prompt_caching`: tokens that a cache would have held already: they cost `cache_read_per_million`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cacheable_read_tokens: Option<i64>,
    /// `prompt_caching`: tokens that would have been written to it: they cost `cache_write_per_million`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cacheable_write_tokens: Option<i64>,
    /// `prompt_caching`: calls that begin like another one shortly before
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_hits: Option<i64>,
    /// `long_context`: the mark above which the calls pay more
    #[serde(skip_serializing_if = "Option::is_none")]
    pub above_input_tokens: Option<i64>,
    /// `duplicate_calls`: how many different calls were made more than once
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distinct_calls: Option<i64>,
}
