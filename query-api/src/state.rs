//! What the handlers share.

use std::sync::Arc;

use runtime::position::Signer;
use tokio::sync::Semaphore;

use crate::freshness::Freshness;
use crate::prices::Prices;
use crate::queries::analytics;
use crate::queries::insights::drift::Bounds;
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
    pub savings: analytics::Bounds,
}
