//! The answer. Costs and prices are US dollars, exact decimals.

use serde::Serialize;
use utoipa::ToSchema;

use crate::numbers::Number;

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
    #[schema(inline)]
    pub cost: Number,
    /// Calls with tokens and without a cost: they are missing in it
    pub unpriced_calls: i64,
    /// What a call that begins now is priced by
    pub price: Option<ModelPrice>,
    /// Why there is none: `unknown_model` (no table in force names it) or `not_valid_now`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
}

#[derive(Serialize, ToSchema)]
pub struct ModelPrice {
    pub provider: String,
    /// As the table calls it
    pub model: String,
    #[schema(inline)]
    pub input_per_million: Number,
    #[schema(inline)]
    pub output_per_million: Number,
    /// Of calls with more input tokens than a mark: all their tokens take the price of the highest one
    pub tiers: Vec<PriceTier>,
    /// Null: since ever
    pub valid_from: Option<String>,
    /// Null: until further notice
    pub valid_to: Option<String>,
    pub source: String,
    /// `tenant` for a table of your own, `shared` for everybody's
    pub table: &'static str,
    pub table_hash: String,
}

#[derive(Serialize, ToSchema)]
pub struct PriceTier {
    pub above_input_tokens: i64,
    #[schema(inline)]
    pub input_per_million: Number,
    #[schema(inline)]
    pub output_per_million: Number,
}
