//! The prices in force for a caller. Tables are immutable, so that one that was read stays known.

use std::sync::Arc;

use runtime::Problem;
use runtime::auth::Principal;
use schemas::prices::{Price, PriceBook};
use tokio::sync::{RwLock, RwLockReadGuard};

use crate::stores::{Postgres, PriceTable};

/// Tables in memory; each is some megabytes.
const MOST_TABLES: usize = 16;
const MOST_BYTES: usize = 64 << 20;

#[derive(Clone, Default)]
pub struct Prices(Arc<RwLock<PriceBook>>);

/// The tables in force for one caller. They stay in memory for as long as this lives.
pub struct InForce<'b> {
    book: RwLockReadGuard<'b, PriceBook>,
    tables: Vec<PriceTable>,
    /// Their hashes, most specific first, comma separated.
    named: String,
}

impl Prices {
    pub async fn in_force(&self, postgres: &Postgres, principal: &Principal) -> Result<InForce<'_>, Problem> {
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
        Ok(InForce { book, tables, named })
    }
}

impl InForce<'_> {
    /// The price of a model at a time in microseconds, with the hash of its table.
    pub fn price(&self, model: &str, at: i64) -> Option<(&str, &Price)> {
        self.book.price(&self.named, model, at)
    }

    /// Whether there is a price of the model at some time.
    pub fn knows_model(&self, model: &str) -> bool {
        self.book.knows_model(&self.named, model)
    }

    /// The models of a provider with a price at a time.
    pub fn models<'p>(&'p self, provider: &'p str, at: i64) -> impl Iterator<Item = &'p Price> {
        self.book.models(&self.named, provider, at)
    }

    /// Whether a table is the caller's own.
    pub fn is_own(&self, hash: &str) -> bool {
        self.tables.iter().any(|table| table.hash == hash && !table.scope.is_empty())
    }
}

fn unpacked(packed: Option<Vec<u8>>) -> Result<String, Problem> {
    let packed = packed.ok_or_else(|| Problem::unavailable("The price tables have just changed", 1))?;
    let text = zstd::bulk::decompress(&packed, MOST_BYTES).map_err(Problem::internal)?;
    String::from_utf8(text).map_err(Problem::internal)
}
