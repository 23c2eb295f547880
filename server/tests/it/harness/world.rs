//! Engines and installations.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use engines::{Stack, StackConfig};
use ingest::system::System;
use retrace_server::commands;
use retrace_server::services::{self, Role};
use retrace_server::up::local_user;
use runtime::Settings;
use runtime::auth::Principal;
use runtime::lifecycle::Tasks;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use super::Client;

pub struct World {
    pub stack: Stack,
    _data: TempDir,
}

static WORLD: OnceCell<World> = OnceCell::const_new();
static NEXT: AtomicU32 = AtomicU32::new(0);

pub fn binary() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_retrace"))
}

pub async fn engines() -> &'static World {
    WORLD
        .get_or_init(|| async {
            let data = TempDir::new().unwrap();
            let mut config =
                StackConfig::new(data.path().join("data"), engines::cache::default_folder().unwrap(), binary());
            config.kafka_c1_only = true;
            World { stack: Stack::start(config).await.unwrap(), _data: data }
        })
        .await
}

/// The services of one installation, in this process.
pub struct Retrace {
    pub settings: Arc<Settings>,
    pub client: Client,
    stop: CancellationToken,
}

impl Retrace {
    pub async fn start() -> Retrace {
        Retrace::with(|_| {}).await
    }

    pub async fn with(tweak: impl FnOnce(&mut Settings)) -> Retrace {
        let settings = new_settings(tweak).await;
        migrations::migrate(&settings).await.unwrap();
        Retrace::run(settings).await
    }

    /// Services over stores that exist.
    async fn run(mut settings: Settings) -> Retrace {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind(&settings.listen).await.unwrap();
        settings.listen = listener.local_addr().unwrap().to_string();
        let settings = Arc::new(settings);
        let mut tasks = Tasks::default();
        services::projector(&settings, &mut tasks).unwrap();
        let pool = runtime::postgres::pool(&settings).unwrap();
        let system = System { settings: &settings, pool: &pool };
        system.publish_prices(schemas::prices::SHIPPED, "").await.unwrap();
        system.create_key(&local_user(), Some(&settings.bootstrap_api_key)).await.unwrap();
        eventually("the first key", async || system.knows_key(&settings.bootstrap_api_key).await.unwrap()).await;
        services::start(&settings, Role::All, listener, Vec::new(), &mut tasks).await.unwrap();
        let stop = tasks.stop.clone();
        tokio::spawn(tasks.run(Duration::from_secs(10)));
        let client = Client::new(&format!("http://{}", settings.listen), &settings.bootstrap_api_key);
        Retrace { settings, client, stop }
    }

    /// A key of another user.
    pub async fn key_of(&self, tenant: &str, user: &str) -> Client {
        let pool = runtime::postgres::pool(&self.settings).unwrap();
        let system = System { settings: &self.settings, pool: &pool };
        let principal =
            Principal { tenant: tenant.into(), user: user.into(), org: Some(tenant.into()), role: "member".into() };
        let key = system.create_key(&principal, None).await.unwrap();
        eventually("the key", async || system.knows_key(&key).await.unwrap()).await;
        self.client.with_key(&key)
    }

    /// Waits until every projection has applied the whole log.
    pub async fn settled(&self) {
        let pool = runtime::postgres::pool(&self.settings).unwrap();
        eventually("the projections", async || {
            let standings = commands::lag::standings(&self.settings, &pool).await.unwrap();
            standings.iter().all(|standing| standing.lag() == 0)
        })
        .await;
    }

    /// Every projection equals the fold over the log.
    pub async fn assert_exact(&self) {
        self.settled().await;
        let report = commands::verify::compare(&self.settings, 1).await.unwrap();
        assert!(report.is_exact(), "{report}");
        assert!(report.skipped.is_empty(), "{report}");
    }
}

impl Drop for Retrace {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The settings of a new installation on the shared engines.
pub async fn new_settings(tweak: impl FnOnce(&mut Settings)) -> Settings {
    let endpoints = engines().await.stack.endpoints();
    let name = format!("t{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let (server, _) = endpoints.postgres_url.rsplit_once('/').unwrap();
    let mut settings = Settings {
        listen: "127.0.0.1:0".into(),
        kafka_brokers: endpoints.kafka_brokers.clone(),
        topic_prefix: format!("{name}."),
        consumer_group: name.clone(),
        clickhouse_url: endpoints.clickhouse_url.clone(),
        clickhouse_user: endpoints.clickhouse_user.clone(),
        clickhouse_password: endpoints.clickhouse_password.clone(),
        clickhouse_database: name.clone(),
        postgres_url: format!("{server}/{name}"),
        postgres_connections: 4,
        secret: "a secret of tests".into(),
        bootstrap_api_key: format!("rt_{name}_bootstrap"),
        rate_write_per_minute: 1_000_000,
        rate_write_burst: 1_000_000,
        rate_read_per_minute: 1_000_000,
        rate_read_burst: 1_000_000,
        freshness_wait_ms: 20_000,
        known_ids_capacity: 10_000,
        erase_interval_ms: 0,
        flush_ms: 30,
        produce_linger_ms: 1,
        ..Settings::default()
    };
    tweak(&mut settings);
    settings
}

/// Polls a condition until it holds; fails loudly when it does not.
pub async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds().await {
        assert!(Instant::now() < deadline, "{what} did not come within a minute");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
