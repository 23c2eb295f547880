//! The command side: HTTP in, validated events appended to Kafka, an answer once they are durable. It knows no
//! projection's store.
//!
//! A request goes through [`routes`], a room of [`commands`], [`append`] and [`publish`]; frames of a WebSocket come in through
//! [`live`].

mod append;
mod ask;
mod billing;
pub mod commands;
mod decide;
mod documents;
mod idempotency;
mod in_force;
mod json;
mod live;
mod llm;
mod openapi;
mod plans;
mod price_tables;
mod progress;
pub mod publish;
mod query;
mod routes;
mod sightings;
mod state;
pub mod system;
mod usage;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use runtime::Settings;
use runtime::auth::{Authenticator, JwtVerifier, KeyRing, Seen};
use runtime::http::health::{Check, check};
use runtime::http::{Gate, Limits};
use runtime::lifecycle::Tasks;
use runtime::position::Signer;
use sqlx::PgPool;

pub use in_force::InForce;
pub use openapi::schemas;
pub use price_tables::PriceTables;

use publish::{Publisher, SealingKeys};
use state::AppState;

pub struct Ingest {
    pub router: Router,
    pub keys: Arc<KeyRing>,
    publisher: Publisher,
}

impl Ingest {
    pub async fn start(
        settings: &Arc<Settings>,
        pool: &PgPool,
        limits: Arc<Limits>,
        tasks: &mut Tasks,
    ) -> anyhow::Result<Ingest> {
        let in_force = InForce::start(settings, pool, tasks.stop.clone()).await?;
        let keys = Arc::clone(&in_force.keys);
        let authenticator =
            Authenticator { keys: Arc::clone(&keys), jwt: JwtVerifier::new(settings)?, pool: pool.clone() };
        let publisher = Publisher::new(settings)?;
        let (seen, sightings) = Seen::new(settings);
        let appending = sightings::Appending(publisher.clone());
        tasks.spawn("sightings", sightings.kept_by(appending, tasks.stop.clone()));
        let gate = Gate::new(settings, Arc::new(authenticator), limits, seen.clone())?;
        let live = live::Live::start(settings, pool, gate.clone(), tasks)?;
        let state = AppState {
            settings: Arc::clone(settings),
            publisher: publisher.clone(),
            sealing_keys: Arc::new(SealingKeys::new(settings)),
            in_force,
            usage: Arc::default(),
            seen,
            ask: Arc::new(ask::Ask::new(settings)?),
            llm: llm::Llm::new(settings, pool)?.map(Arc::new),
            billing: Arc::new(billing::Billing::new(settings)?),
            live: Arc::new(live),
            pool: pool.clone(),
            progress: Arc::new(progress::Progress::new(pool.clone())),
            signer: Signer::new(&settings.secret),
        };
        tasks.spawn("idempotency", idempotency::tidy(pool.clone(), tasks.stop.clone()));
        Ok(Ingest { router: routes::router(state, gate)?, keys, publisher })
    }

    pub fn checks(&self) -> Vec<Check> {
        let asked = self.publisher.clone();
        vec![check("kafka", move || {
            let publisher = asked.clone();
            async move { publisher.check().await }
        })]
    }

    /// After the last request: nothing accepted is left in the queue.
    pub async fn drain(&self, budget: Duration) {
        self.publisher.flush(budget).await;
    }
}
