//! What the handlers share.

use std::sync::Arc;

use axum::http::HeaderMap;
use runtime::Problem;
use runtime::auth::Principal;
use runtime::position::{Signer, Topic};
use schemas::topics;
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

impl AppState {
    /// A resource of the workspace. One that is not there may be on its way: its projection is waited for before it is a
    /// 404.
    pub async fn resource<R, F: Future<Output = Result<Option<R>, Problem>>>(
        &self,
        headers: &HeaderMap,
        principal: &Principal,
        what: &str,
        find: impl Fn() -> F,
    ) -> Result<R, Problem> {
        self.freshness.after(&self.signer, headers, Topic::Workspace).await?;
        if let Some(found) = find().await? {
            return Ok(found);
        }
        let partition = topics::tenant_partition(&principal.tenant, topics::PARTITIONS);
        self.freshness.caught_up(Topic::Workspace, partition).await?;
        find().await?.ok_or_else(|| Problem::not_found(what))
    }
}
