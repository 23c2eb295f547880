//! What the handlers share.

use std::sync::Arc;

use axum::http::HeaderMap;
use runtime::Problem;
use runtime::auth::Principal;
use runtime::plans::Plans;
use runtime::position::{Signer, Topic};
use runtime::tapes::Views;
use schemas::topics;
use time::OffsetDateTime;
use tokio::sync::Semaphore;

use crate::freshness::Freshness;
use crate::plans::Held;
use crate::prices::Prices;
use crate::queries::analytics;
use crate::queries::audit::Clients;
use crate::queries::insights::drift::Bounds;
use crate::queries::tapes::Rankings;
use crate::stores::{ClickHouse, Postgres};

#[derive(Clone)]
pub struct AppState {
    pub clickhouse: ClickHouse,
    pub postgres: Postgres,
    pub freshness: Arc<Freshness>,
    pub signer: Signer,
    /// Turns of those that run.
    pub exports: Arc<Semaphore>,
    pub clients: Arc<Clients>,
    pub drift: Bounds,
    pub prices: Prices,
    pub plans: Arc<Plans>,
    pub savings: analytics::Bounds,
    /// Where users reach this server.
    pub base_url: Arc<str>,
    pub views: Arc<Views>,
    pub rankings: Arc<Rankings>,
}

impl AppState {
    /// The plan that the caller has now, as far as the projection knows.
    pub async fn plan_of(&self, principal: &Principal) -> Result<Held, Problem> {
        let standing = self.postgres.of(principal).await?.plan().await?;
        Ok(Held::of(&self.plans, standing.as_ref(), OffsetDateTime::now_utc()))
    }

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
