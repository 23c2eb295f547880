//! The read side: the projections over REST. It appends nothing.
//!
//! A request goes through [`routes`], a room of [`queries`] and a handle of [`stores`] that cannot be had without a tenant;
//! [`freshness`] says whether the projections have reached what the caller has written.

mod cursor;
mod downloads;
mod freshness;
mod heads;
mod numbers;
mod openapi;
mod pages;
mod params;
mod period;
mod plans;
mod prices;
pub mod queries;
mod routes;
mod spending;
mod state;
mod stores;
mod times;
mod trace_filters;

use std::sync::Arc;

use axum::Router;
use runtime::Settings;
use runtime::auth::keyring::{self, Snapshot};
use runtime::auth::seen::Telling;
use runtime::auth::{Authenticator, JwtVerifier, KeyRing, Seen};
use runtime::http::health::{Check, check};
use runtime::http::{Gate, Limits};
use runtime::kafka::follow;
use runtime::lifecycle::Tasks;
use runtime::plans::Plans;
use runtime::position::Signer;
use runtime::tapes::Views;
use schemas::topics;
use sqlx::PgPool;

pub use openapi::{docs_router, schemas};

use freshness::Freshness;
use prices::Prices;
use queries::audit::Clients;
use queries::insights::drift::Bounds;
use queries::tapes::Rankings;
use state::AppState;
use stores::Generations;

pub struct QueryApi {
    pub router: Router,
    pub checks: Vec<Check>,
}

impl QueryApi {
    /// `keys` are shared with ingest where both run in one process.
    pub async fn start(
        settings: &Arc<Settings>,
        client: clickhouse::Client,
        pool: &PgPool,
        keys: Option<Arc<KeyRing>>,
        limits: Arc<Limits>,
        tasks: &mut Tasks,
    ) -> anyhow::Result<QueryApi> {
        let keys = match keys {
            Some(keys) => keys,
            None => followed_keys(settings, pool, tasks).await?,
        };
        let authenticator = Authenticator { keys, jwt: JwtVerifier::new(settings)?, pool: pool.clone() };
        let (seen, sightings) = Seen::new(settings);
        tasks.spawn("sightings", sightings.kept_by(Telling::new(settings)?, tasks.stop.clone()));
        let gate = Gate::new(settings, Arc::new(authenticator), limits, seen)?;
        let (views, waiting) = Views::new(settings)?;
        tasks.spawn("tape views", waiting.telling(tasks.stop.clone()));
        let generations = Arc::new(Generations::new(pool.clone()));
        let clickhouse = stores::ClickHouse::new(client.clone(), Arc::clone(&generations));
        let postgres = stores::Postgres::new(pool.clone(), generations);
        let state = AppState {
            freshness: Arc::new(Freshness::new(settings, clickhouse.clone(), postgres.clone())?),
            clickhouse,
            postgres,
            signer: Signer::new(&settings.secret),
            exports: downloads::turns(),
            clients: Arc::new(Clients::new(settings)),
            drift: Bounds {
                false_discovery: f64::from(settings.drift_false_discovery_percent) / 100.0,
                effect: f64::from(settings.drift_effect_percent) / 100.0,
                error_effect: f64::from(settings.drift_error_effect_percent) / 100.0,
            },
            prices: Prices::default(),
            plans: Arc::new(Plans::of(settings)?),
            savings: queries::analytics::Bounds::of(settings),
            base_url: settings.base_url().into(),
            views: Arc::new(views),
            rankings: Arc::new(Rankings::new(settings)),
        };
        let checks = stores(&client, pool);
        Ok(QueryApi { router: routes::router(state, gate)?, checks })
    }
}

/// Whether the stores answer.
pub fn stores(client: &clickhouse::Client, pool: &PgPool) -> Vec<Check> {
    let (client, pool) = (client.clone(), pool.clone());
    vec![
        check("clickhouse", move || {
            let client = client.clone();
            async move { client.query("SELECT 1").execute().await.map_err(|e| e.to_string()) }
        }),
        check("postgres", move || {
            let pool = pool.clone();
            async move { sqlx::query("SELECT 1").execute(&pool).await.map(|_| ()).map_err(|e| e.to_string()) }
        }),
    ]
}

/// Keys from the snapshot, then from the log: a revocation needs no projection.
async fn followed_keys(settings: &Settings, pool: &PgPool, tasks: &Tasks) -> anyhow::Result<Arc<KeyRing>> {
    let keys = Arc::new(KeyRing::default());
    let from = keys.begin(keyring::or_nothing(Snapshot::read(pool).await)?);
    let (followed, complete) = (Arc::clone(&keys), Arc::clone(&keys));
    follow::follow(
        settings,
        topics::WORKSPACE,
        "workspace",
        from.into_iter().collect(),
        tasks.stop.clone(),
        move |record, event| followed.apply(&record.envelope, &event),
        move || complete.complete(),
    )?;
    keys.completed().await;
    Ok(keys)
}
