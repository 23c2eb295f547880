//! The prices in force for a caller. Tables are immutable, so that one that was read stays known.

use std::sync::Arc;

use runtime::Problem;
use runtime::auth::Principal;
use schemas::Money;
use schemas::prices::{Price, PriceBook};
use tokio::sync::RwLock;

use super::documents::{ModelPrice, PriceTier};
use crate::numbers::Number;
use crate::stores::{Postgres, PriceTable};

/// Tables in memory; each is some megabytes.
const MOST_TABLES: usize = 16;
const MOST_BYTES: usize = 64 << 20;

#[derive(Clone, Default)]
pub struct Prices(Arc<RwLock<PriceBook>>);

/// What a model costs from now on, or why that is not known.
pub type Found = Result<ModelPrice, &'static str>;

impl Prices {
    /// Of each model, at a time in microseconds.
    pub async fn of(
        &self,
        postgres: &Postgres,
        principal: &Principal,
        models: &[String],
        at: i64,
    ) -> Result<Vec<Found>, Problem> {
        let tables = postgres.price_tables(principal).await?;
        let named: Vec<&str> = tables.iter().map(|table| table.hash.as_str()).collect();
        let mut book = self.0.read().await;
        if !named.iter().all(|hash| book.knows(hash)) {
            drop(book);
            let mut held = self.0.write().await;
            if held.len() + named.len() > MOST_TABLES {
                *held = PriceBook::default();
            }
            for hash in &named {
                if !held.knows(hash) {
                    let packed = postgres.price_table(principal, hash).await?;
                    held.add(hash, &unpacked(packed)?).map_err(Problem::internal)?;
                }
            }
            // Nobody may empty it again before it is read.
            book = held.downgrade();
        }
        let named = named.join(",");
        Ok(models.iter().map(|model| found(&book, &tables, &named, model, at)).collect())
    }
}

fn unpacked(packed: Option<Vec<u8>>) -> Result<String, Problem> {
    let packed = packed.ok_or_else(|| Problem::unavailable("The price tables have just changed", 1))?;
    let text = zstd::bulk::decompress(&packed, MOST_BYTES).map_err(Problem::internal)?;
    String::from_utf8(text).map_err(Problem::internal)
}

fn found(book: &PriceBook, tables: &[PriceTable], named: &str, model: &str, at: i64) -> Found {
    let Some((hash, price)) = book.price(named, model, at) else {
        return Err(if book.knows_model(named, model) { "not_valid_now" } else { "unknown_model" });
    };
    let is_own = tables.iter().any(|table| table.hash == hash && !table.scope.is_empty());
    Ok(shown(price, if is_own { "tenant" } else { "shared" }, hash))
}

fn shown(price: &Price, table: &'static str, hash: &str) -> ModelPrice {
    let entry = &price.entry;
    // As the book reads them; it holds no others.
    let money = |text: &str| Number::money(Money::parse(text).unwrap_or_default().0);
    ModelPrice {
        provider: price.provider.clone(),
        model: price.model.clone(),
        input_per_million: money(&entry.input),
        output_per_million: money(&entry.output),
        tiers: entry
            .tiers
            .iter()
            .map(|tier| PriceTier {
                above_input_tokens: tier.above_input_tokens,
                input_per_million: money(&tier.input),
                output_per_million: money(&tier.output),
            })
            .collect(),
        valid_from: entry.valid_from.clone(),
        valid_to: entry.valid_to.clone(),
        source: entry.source.clone(),
        table,
        table_hash: hash.to_owned(),
    }
}
