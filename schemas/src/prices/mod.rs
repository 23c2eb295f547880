//! The price table that ships with this version, the shape of every table, and what a call costs by them.

mod book;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::sealing;

pub use book::{Price, PriceBook, Rates};

/// Prices by model and date, with their sources; see `schemas/prices/NOTICE.md`.
pub const SHIPPED: &str = include_str!("../../prices/table.json");

/// A table's name in events.
pub fn hash(table: &str) -> String {
    sealing::hex(&sealing::sha256(table.as_bytes()))
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PriceTable {
    pub version: String,
    pub currency: String,
    pub unit: String,
    pub models: Vec<ModelPrices>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ModelPrices {
    pub provider: String,
    pub model: String,
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Sorted by `valid_from`, without overlap.
    pub prices: Vec<PriceEntry>,
}

/// US dollars per million tokens, as decimal text.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PriceEntry {
    pub valid_from: Option<String>,
    pub valid_to: Option<String>,
    pub source: String,
    pub input: String,
    pub output: String,
    #[serde(default)]
    pub cache_read: Option<String>,
    #[serde(default)]
    pub cache_write: Option<String>,
    #[serde(default)]
    pub tiers: Vec<PriceTier>,
}

/// The tokens of a call. Those that a cache was read from or written to are part of the input.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    pub input: Option<i64>,
    pub output: Option<i64>,
    pub cache_read: Option<i64>,
    pub cache_write: Option<i64>,
}

/// When a call's input exceeds the mark, all of its tokens take the tier's price.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PriceTier {
    pub above_input_tokens: i64,
    pub input: String,
    pub output: String,
    #[serde(default)]
    pub cache_read: Option<String>,
    #[serde(default)]
    pub cache_write: Option<String>,
}

pub fn parse(table: &str) -> Result<PriceTable, String> {
    let parsed: PriceTable = serde_json::from_str(table).map_err(|e| format!("the price table is not valid: {e}"))?;
    if parsed.currency != "USD" {
        return Err(format!("the price table is in {}, not in USD", parsed.currency));
    }
    for model in &parsed.models {
        for entry in &model.prices {
            let decimals =
                [Some(&entry.input), Some(&entry.output), entry.cache_read.as_ref(), entry.cache_write.as_ref()];
            let of_tier = |tier: &'_ PriceTier| -> [Option<String>; 4] {
                [Some(tier.input.clone()), Some(tier.output.clone()), tier.cache_read.clone(), tier.cache_write.clone()]
            };
            let tiers: Vec<String> = entry.tiers.iter().flat_map(of_tier).flatten().collect();
            for text in decimals.into_iter().flatten().chain(&tiers) {
                if crate::Money::parse(text).is_err() || text.starts_with('-') {
                    return Err(format!("{}: `{text}` is not a price", model.model));
                }
            }
            for text in [&entry.valid_from, &entry.valid_to].into_iter().flatten() {
                micros(text).map_err(|fault| format!("{}: {fault}", model.model))?;
            }
        }
    }
    Ok(parsed)
}

/// An RFC 3339 time in microseconds since 1970.
fn micros(text: &str) -> Result<i64, String> {
    let time = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| format!("`{text}` is not an RFC 3339 time"))?;
    Ok((time.unix_timestamp_nanos() / 1000) as i64)
}
