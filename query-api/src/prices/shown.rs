//! The price of a model as answers show it.

use schemas::Money;
use schemas::prices::Price;
use serde::Serialize;
use utoipa::ToSchema;

use super::in_force::InForce;
use crate::numbers::Number;

#[derive(Serialize, ToSchema)]
pub struct ModelPrice {
    pub provider: String,
    /// As the table calls it
    pub model: String,
    #[schema(value_type = f64)]
    pub input_per_million: Number,
    #[schema(value_type = f64)]
    pub output_per_million: Number,
    /// Of input that is read from the provider's cache; null: like other input
    #[schema(value_type = Option<f64>)]
    pub cache_read_per_million: Option<Number>,
    /// Of input that is written to it; null: like other input
    #[schema(value_type = Option<f64>)]
    pub cache_write_per_million: Option<Number>,
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
    #[schema(value_type = f64)]
    pub input_per_million: Number,
    #[schema(value_type = f64)]
    pub output_per_million: Number,
    #[schema(value_type = Option<f64>)]
    pub cache_read_per_million: Option<Number>,
    #[schema(value_type = Option<f64>)]
    pub cache_write_per_million: Option<Number>,
}

/// What a model costs from now on, or why that is not known.
pub type Found = Result<ModelPrice, &'static str>;

pub fn found(prices: &InForce<'_>, model: &str, at: i64) -> Found {
    match prices.price(model, at) {
        Some((hash, price)) => Ok(shown(price, prices, hash)),
        None if prices.knows_model(model) => Err("not_valid_now"),
        None => Err("unknown_model"),
    }
}

fn shown(price: &Price, prices: &InForce<'_>, hash: &str) -> ModelPrice {
    let entry = &price.entry;
    // As the book reads them; it holds no others.
    let money = |text: &str| Number::money(Money::parse(text).unwrap_or_default().0);
    ModelPrice {
        provider: price.provider.clone(),
        model: price.model.clone(),
        input_per_million: money(&entry.input),
        output_per_million: money(&entry.output),
        cache_read_per_million: entry.cache_read.as_deref().map(money),
        cache_write_per_million: entry.cache_write.as_deref().map(money),
        tiers: entry
            .tiers
            .iter()
            .map(|tier| PriceTier {
                above_input_tokens: tier.above_input_tokens,
                input_per_million: money(&tier.input),
                output_per_million: money(&tier.output),
                cache_read_per_million: tier.cache_read.as_deref().map(money),
                cache_write_per_million: tier.cache_write.as_deref().map(money),
            })
            .collect(),
        valid_from: entry.valid_from.clone(),
        valid_to: entry.valid_to.clone(),
        source: entry.source.clone(),
        table: if prices.is_own(hash) { "tenant" } else { "shared" },
        table_hash: hash.to_owned(),
    }
}
