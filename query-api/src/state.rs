//! What the handlers share.

use std::sync::Arc;

use runtime::position::Signer;
use tokio::sync::Semaphore;

use crate::freshness::Freshness;
use crate::queries::insights::drift::Bounds;
use crate::queries::models::Prices;
use crate::stores::{ClickHouse, Postgres};

#[derive(Clone)]
pub struct AppState {
    pub clickhouse: ClickHouse,
    pub postgres: Postgres,
    pub freshness: Arc<Freshness>,
    pub signer: Signer,
    /// Turns of those that run.
    pub exports: Arc<Semaphore>,
    pub drift: Bounds,
    pub prices: Prices,
}
