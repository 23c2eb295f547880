//! The answers. Costs are US dollars, exact decimals that add up to those of `GET /traces`.

use serde::Serialize;
use utoipa::ToSchema;

use crate::numbers::Number;

#[derive(Serialize, ToSchema)]
pub struct CostsOut {
    pub from: String,
    pub to: String,
    pub timezone: String,
    /// US dollars
    #[schema(value_type = f64)]
    pub total: Number,
    pub totals: Figures,
    #[serde(rename = "byModel")]
    pub by_model: Vec<ModelCosts>,
    /// Every day of the time zone, also those on which nothing was spent
    pub daily: Vec<DayCosts>,
    /// Where an `interval` is asked for
    #[serde(skip_serializing_if = "Option::is_none")]
    pub series: Option<Vec<IntervalCosts>>,
    /// Where `group_by` is asked for
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<Groups>,
    /// Where `compare=previous` is asked for
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<Previous>,
}

#[derive(Serialize, ToSchema)]
pub struct Figures {
    /// US dollars
    #[schema(value_type = f64)]
    pub cost: Number,
    pub tokens: i64,
    pub input_tokens: i64,
    pub output_tokens: i64,
    /// Of the input tokens: read from the provider's cache
    pub cache_read_tokens: i64,
    /// Of the input tokens: written to the provider's cache
    pub cache_write_tokens: i64,
    /// Of the output tokens: spent on reasoning
    pub reasoning_tokens: i64,
    /// Spans that name a model, or cost something without one
    pub calls: i64,
    /// Calls with tokens whose model has no known price: they are missing in the cost
    pub unpriced_calls: i64,
    /// With a `model` asked for: traces that used it
    pub traces: i64,
}

#[derive(Serialize, ToSchema)]
pub struct ModelCosts {
    /// Null: what no model accounts for, as totals that only the trace reports
    pub model: Option<String>,
    #[schema(value_type = f64)]
    pub cost: Number,
    pub tokens: i64,
    /// Calls
    pub count: i64,
    /// Calls with tokens and no known price: they are missing in the cost
    pub unpriced_calls: i64,
    pub input_tokens: i64,
    pub output_tokens: i64,
    pub cache_read_tokens: i64,
    pub cache_write_tokens: i64,
    pub reasoning_tokens: i64,
    /// Traces that used it
    pub traces: i64,
}

#[derive(Serialize, ToSchema)]
pub struct DayCosts {
    /// YYYY-MM-DD
    pub date: String,
    #[schema(value_type = f64)]
    pub cost: Number,
    pub tokens: i64,
    /// Traces
    pub count: i64,
}

#[derive(Serialize, ToSchema)]
pub struct IntervalCosts {
    pub start: String,
    #[serde(flatten)]
    pub figures: Figures,
}

#[derive(Serialize, ToSchema)]
pub struct Groups {
    pub by: String,
    /// The dearest first
    pub groups: Vec<GroupCosts>,
    /// How many there are in all
    pub count: u64,
    /// What is not listed; of tags there is none, since a trace has several
    #[serde(skip_serializing_if = "Option::is_none")]
    pub others: Option<Figures>,
}

#[derive(Serialize, ToSchema)]
pub struct GroupCosts {
    /// Null: traces that have none
    pub value: Option<String>,
    #[serde(flatten)]
    pub figures: Figures,
}

#[derive(Serialize, ToSchema)]
pub struct Previous {
    pub from: String,
    pub to: String,
    pub totals: Figures,
    /// How much the cost has changed, in percent of the previous one; null where that is 0
    pub change_percent: Option<f64>,
}
