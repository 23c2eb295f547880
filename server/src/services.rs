//! The services of one process: the same routers and pipelines whether it runs one of them or all.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use ingest::Ingest;
use query_api::{QueryApi, stores};
use runtime::http::health::{Check, check};
use runtime::http::{self, Limits};
use runtime::lifecycle::{Tasks, stop_on_signal};
use runtime::{Settings, telemetry};
use tokio::net::TcpListener;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

use crate::commands::lag;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Ingest,
    QueryApi,
    Projector,
    All,
}

/// One service by itself.
pub async fn run(settings: Settings, role: Role) -> anyhow::Result<()> {
    telemetry::start(&settings, BoxMakeWriter::new(std::io::stdout))?;
    anyhow::ensure!(
        !settings.secret.is_empty(),
        "the setting `secret` must be set, to the same value for all services"
    );
    let listener = listen(&settings).await?;
    let mut tasks = Tasks::default();
    tasks.spawn("signals", stop_on_signal(tasks.stop.clone()));
    let settings = Arc::new(settings);
    start(&settings, role, listener, Vec::new(), &mut tasks).await?;
    tasks.run(Duration::from_secs(settings.shutdown_seconds)).await
}

pub async fn listen(settings: &Settings) -> anyhow::Result<TcpListener> {
    TcpListener::bind(&settings.listen).await.with_context(|| {
        format!("cannot listen on {}: choose another with --listen or RETRACE_LISTEN", settings.listen)
    })
}

/// Starts what the role asks for behind one listener.
pub async fn start(
    settings: &Arc<Settings>,
    role: Role,
    listener: TcpListener,
    mut checks: Vec<Check>,
    tasks: &mut Tasks,
) -> anyhow::Result<()> {
    let pool = runtime::postgres::pool(settings)?;
    let client = migrations::clickhouse::client(settings);
    let limits = Limits::new(settings);
    tasks.spawn("rate limits", Arc::clone(&limits).tidy(tasks.stop.clone()));
    if role == Role::Projector {
        checks.push(projector(settings, tasks)?.0);
        checks.extend(stores(&client, &pool));
    }
    let mut router = Router::new();
    let mut keys = None;
    if matches!(role, Role::Ingest | Role::All) {
        let ingest = Ingest::start(settings, &pool, Arc::clone(&limits), tasks).await?;
        router = router.merge(ingest.router.clone());
        keys = Some(Arc::clone(&ingest.keys));
        let (stop, budget) = (tasks.stop.clone(), Duration::from_secs(settings.shutdown_seconds));
        checks.extend(ingest.checks());
        tasks.spawn("ingest", async move {
            stop.cancelled().await;
            ingest.drain(budget).await;
            Ok(())
        });
    }
    if matches!(role, Role::QueryApi | Role::All) {
        let query = QueryApi::start(settings, client, &pool, keys, limits, tasks).await?;
        router = router.merge(query.router).merge(query_api::docs_router(document()));
        checks.extend(query.checks);
    }
    let router = http::compose(settings, router.merge(http::health::router(checks)));
    let stop = tasks.stop.clone();
    tasks.spawn("http", http::serve(listener, router, stop));
    Ok(())
}

/// The pipelines, and what they have to say in `/readyz`.
pub fn projector(settings: &Arc<Settings>, tasks: &mut Tasks) -> anyhow::Result<(Check, Arc<projector::Stopped>)> {
    let client = migrations::clickhouse::client(settings);
    let pool = runtime::postgres::pool(settings)?;
    let stopped = Arc::new(projector::Stopped::default());
    let eraser = projector::erase::run(Arc::clone(settings), client.clone(), pool.clone(), tasks.stop.clone());
    tasks.spawn("eraser", eraser);
    tasks.spawn("lag", lag::watch(Arc::clone(settings), pool.clone(), tasks.stop.clone()));
    let run = projector::run(Arc::clone(settings), client, pool, Arc::clone(&stopped), tasks.stop.clone());
    tasks.spawn("projector", run);
    let asked = Arc::clone(&stopped);
    let check = check("projections", move || {
        let state = asked.check();
        async move { state }
    });
    Ok((check, stopped))
}

/// The OpenAPI document of all services.
pub fn document() -> serde_json::Value {
    let mut schemas = ingest::schemas();
    schemas.extend(query_api::schemas());
    http::openapi::document(schemas)
}
