//! The answer. Costs and prices are US dollars, exact decimals.

use serde::Serialize;
use utoipa::ToSchema;

use crate::numbers::Number;
use crate::prices::ModelPrice;

#[derive(Serialize, ToSchema)]
pub struct ModelsOut {
    pub from: String,
    pub to: String,
    /// Those without a price first, the most unpriced calls first; then the dearest
    pub models: Vec<ModelOut>,
    /// How many there are in all
    pub count: usize,
}

#[derive(Serialize, ToSchema)]
pub struct ModelOut {
    /// As the calls name it
    pub model: String,
    pub calls: i64,
    /// Traces that used it
    pub traces: i64,
    pub tokens: i64,
    pub input_tokens: i64,
    pub output_tokens: i64,
    #[schema(value_type = f64)]
    pub cost: Number,
    /// Calls with tokens and without a cost: they are missing in it
    pub unpriced_calls: i64,
    /// What a call that begins now is priced by
    pub price: Option<ModelPrice>,
    /// Why there is none: `unknown_model` (no table in force names it) or `not_valid_now`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
}
