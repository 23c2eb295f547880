//! `retrace up`: engines as children, everything else in this process, and a line to paste.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use engines::{Stack, StackConfig};
use ingest::system::System;
use migrations::generations;
use runtime::auth::{Principal, new_key};
use runtime::http::health::check;
use runtime::lifecycle::{Tasks, stop_on_signal};
use runtime::{Settings, telemetry};
use tracing_subscriber::fmt::writer::BoxMakeWriter;

use crate::cli::UpOptions;
use crate::services::{self, Role};
use crate::{banner, commands, local};

/// How long the first key and the price table may take to arrive in their projection.
const PROJECTED_WITHIN: Duration = Duration::from_secs(60);

/// A long log is not waited for.
const CATCHING_UP: Duration = Duration::from_secs(10);

pub async fn up(mut settings: Settings, options: UpOptions) -> anyhow::Result<()> {
    let started = Instant::now();
    if let Some(listen) = &options.listen {
        settings.listen.clone_from(listen);
    }
    let listener = services::listen(&settings).await?;
    settings.listen = listener.local_addr()?.to_string();
    let mut config = StackConfig::new(&options.data, engines::cache::default_folder()?, std::env::current_exe()?);
    config.port_base = options.port_base;
    config.kafka_c1_only = options.quick_jvm;
    let stack = Arc::new(Stack::start(config).await?);
    let data = stack.data().to_owned();
    log_to(&settings, &data)?;
    use_engines(&mut settings, &stack, &data)?;
    local::publish(&data, &settings)?;
    let settings = Arc::new(settings);
    let outcome = serve(&settings, &stack, &data, listener, started).await;
    if let Some(stack) = Arc::into_inner(stack) {
        stack.stop().await;
    }
    outcome
}

async fn serve(
    settings: &Arc<Settings>,
    stack: &Arc<Stack>,
    data: &Path,
    listener: tokio::net::TcpListener,
    started: Instant,
) -> anyhow::Result<()> {
    let mut tasks = Tasks::default();
    tasks.spawn("signals", stop_on_signal(tasks.stop.clone()));
    // Nothing is served yet, so nothing reads what is replaced.
    let filling = commands::migrate::prepare(settings, true).await?;
    let (projections, stopped) = services::projector(settings, &mut tasks)?;
    if !filling.is_empty() {
        refill(settings, &filling, &tasks).await?;
    }
    let key = first_key(settings, data).await?;
    let asked = Arc::downgrade(stack);
    let engines = check("engines", move || {
        let down: Vec<String> = asked
            .upgrade()
            .map(|stack| stack.health())
            .unwrap_or_default()
            .into_iter()
            .filter(|engine| !engine.up)
            .map(|engine| format!("{} is down: {}", engine.name, engine.last_error.unwrap_or_default()))
            .collect();
        async move { if down.is_empty() { Ok(()) } else { Err(down.join("; ")) } }
    });
    services::start(settings, Role::All, listener, vec![engines, projections], &mut tasks).await?;
    // "Ready" means that a write is read back at once: the projectors have their partitions.
    let pool = runtime::postgres::pool(settings)?;
    if !commands::lag::caught_up(settings, &pool, CATCHING_UP).await? {
        tracing::warn!("the projections have not caught up with the log yet");
    }
    pool.close().await;
    banner::print(settings, data, &key, started.elapsed());
    if let Err(why) = stopped.check() {
        banner::warn(&why);
    }
    tasks.run(Duration::from_secs(settings.shutdown_seconds)).await
}

/// Which keys there are, for one, is known only when they have come back from the log.
async fn refill(settings: &Settings, filling: &[&str], tasks: &Tasks) -> anyhow::Result<()> {
    let pool = runtime::postgres::pool(settings)?;
    while !commands::lag::caught_up(settings, &pool, CATCHING_UP).await? {
        anyhow::ensure!(!tasks.stop.is_cancelled(), "stopped while tables were made anew; the next start goes on");
        let standings = commands::lag::standings(settings, &pool).await?;
        let (applied, end) = standings.iter().fold((0, 0), |(a, e), one| (a + one.applied, e + one.end));
        banner::warn(&format!(
            "{} of another version: made anew from the log, {applied} of {end} events",
            filling.join(" and ")
        ));
    }
    generations::filled(settings, &pool).await?;
    pool.close().await;
    Ok(())
}

/// The terminal is for people; the log is a file.
fn log_to(settings: &Settings, data: &Path) -> anyhow::Result<()> {
    let path = data.join("logs/retrace.log");
    let file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .with_context(|| format!("{} cannot be written", path.display()))?;
    telemetry::start(settings, BoxMakeWriter::new(Arc::new(file)))
}

fn use_engines(settings: &mut Settings, stack: &Stack, data: &Path) -> anyhow::Result<()> {
    let endpoints = stack.endpoints();
    settings.kafka_brokers.clone_from(&endpoints.kafka_brokers);
    settings.clickhouse_url.clone_from(&endpoints.clickhouse_url);
    settings.clickhouse_user.clone_from(&endpoints.clickhouse_user);
    settings.clickhouse_password.clone_from(&endpoints.clickhouse_password);
    settings.postgres_url.clone_from(&endpoints.postgres_url);
    if settings.instance.is_empty() {
        // The data folder's lock sees to it that there is only one.
        settings.instance = "local".to_owned();
    }
    if settings.secret.is_empty() {
        let path = data.join("secret");
        if !path.exists() {
            local::write_private(&path, &new_key("")?)?;
        }
        settings.secret =
            std::fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    }
    Ok(())
}

/// The key to print: the configured one, or one made at the first start and kept in the data folder.
async fn first_key(settings: &Settings, data: &Path) -> anyhow::Result<banner::Key> {
    let pool = runtime::postgres::pool(settings)?;
    let system = System { settings, pool: &pool };
    let deadline = Instant::now() + PROJECTED_WITHIN;
    system.publish_prices(schemas::prices::SHIPPED, "").await?;
    let principal = local_user();
    let path = data.join("api-key");
    let key = if !settings.bootstrap_api_key.is_empty() {
        settings.bootstrap_api_key.clone()
    } else if path.exists() {
        std::fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?
    } else if system.has_key(&principal).await? {
        return Ok(banner::Key::Unknown);
    } else {
        let key = new_key(&settings.api_key_prefix)?;
        local::write_private(&path, &key)?;
        key
    };
    if !system.knows_key(&key).await? {
        if settings.bootstrap_api_key.is_empty() && system.has_key(&principal).await? {
            // The user has made another key since: this one has ended.
            return Ok(banner::Key::Unknown);
        }
        system.create_key(&principal, Some(&key)).await?;
        while !system.knows_key(&key).await? {
            anyhow::ensure!(
                Instant::now() < deadline,
                "the first API key did not arrive in Postgres; the log says why"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    pool.close().await;
    Ok(banner::Key::Known(key))
}

pub fn local_user() -> Principal {
    Principal { tenant: "local".to_owned(), user: "local".to_owned(), org: None, role: "owner".to_owned(), key: None }
}
