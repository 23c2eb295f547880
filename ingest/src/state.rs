//! What the handlers share.

use std::sync::Arc;

use runtime::auth::Seen;
use runtime::position::Signer;
use runtime::{Problem, Settings};
use sqlx::PgPool;

use crate::ask::Ask;
use crate::billing::Billing;
use crate::in_force::InForce;
use crate::live::Live;
use crate::llm::Llm;
use crate::progress::Progress;
use crate::publish::{Publisher, SealingKeys};
use crate::usage::Usage;

#[derive(Clone)]
pub struct AppState {
    pub settings: Arc<Settings>,
    pub publisher: Publisher,
    pub sealing_keys: Arc<SealingKeys>,
    pub in_force: Arc<InForce>,
    pub usage: Arc<Usage>,
    pub seen: Seen,
    pub ask: Arc<Ask>,
    /// Where one is configured.
    pub llm: Option<Arc<Llm>>,
    pub billing: Arc<Billing>,
    pub live: Arc<Live>,
    pub pool: PgPool,
    pub progress: Arc<Progress>,
    pub signer: Signer,
}

impl AppState {
    /// Commands whose outcome is seen in Postgres are refused while it is down, before anything is appended.
    pub async fn workspace_reachable(&self) -> Result<(), Problem> {
        sqlx::query("SELECT 1")
            .execute(&self.pool)
            .await
            .map(|_| ())
            .map_err(|cause| Problem::store_down("Postgres", cause))
    }
}
