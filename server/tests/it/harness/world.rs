//! Engines and installations.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use engines::{Stack, StackConfig};
use ingest::system::System;
use projector::erase::Eraser;
use retrace_server::commands;
use retrace_server::commands::lag::Standing;
use retrace_server::commands::rebuild::rebuild;
use retrace_server::services::{self, Role};
use retrace_server::up::local_user;
use runtime::Settings;
use runtime::auth::Principal;
use runtime::lifecycle::Tasks;
use schemas::{sealing, topics};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::{OnceCell, RwLock, RwLockReadGuard, RwLockWriteGuard};
use tokio_util::sync::CancellationToken;
use verify::{Fold, LogReader, Record, Report};

use super::{Client, log};

pub struct World {
    pub stack: Stack,
    _data: TempDir,
}

static WORLD: OnceCell<World> = OnceCell::const_new();
/// Tests run side by side; one that takes an engine down has the engines for itself.
static SHARED: RwLock<()> = RwLock::const_new(());
static NEXT: AtomicU32 = AtomicU32::new(0);

/// `RETRACE_TEST_BINARY` names another, for a run beside a build.
pub fn binary() -> PathBuf {
    std::env::var_os("RETRACE_TEST_BINARY").map_or_else(|| env!("CARGO_BIN_EXE_retrace").into(), PathBuf::from)
}

pub async fn engines() -> &'static World {
    WORLD
        .get_or_init(|| async {
            log::start();
            let data = temporary_folder();
            let mut config =
                StackConfig::new(data.path().join("data"), engines::cache::default_folder().unwrap(), binary());
            config.kafka_c1_only = true;
            // The topics of all tests: some 64 partitions an installation.
            config.kafka_heap_mb = 1_024;
            World { stack: Stack::start(config).await.unwrap(), _data: data }
        })
        .await
}

/// The engines, for a test that takes one down. No installation of another test exists meanwhile.
pub async fn outage() -> (RwLockWriteGuard<'static, ()>, &'static World) {
    (SHARED.write().await, engines().await)
}

/// The engines, for a test that makes several installations with [`Retrace::alone`].
pub async fn sharing() -> RwLockReadGuard<'static, ()> {
    SHARED.read().await
}

/// The engines live as long as the process, so that nothing removes their folder at its end: the next run does.
fn temporary_folder() -> TempDir {
    const PREFIX: &str = "retrace-it-";
    for entry in std::fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split('-').next()?.parse::<u32>().ok());
        if owner.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
    tempfile::Builder::new().prefix(&format!("{PREFIX}{}-", std::process::id())).tempdir().unwrap()
}

/// The services of one installation, in this process, on threads of their own.
pub struct Retrace {
    pub settings: Arc<Settings>,
    pub client: Client,
    stop: CancellationToken,
    running: Option<tokio::task::JoinHandle<anyhow::Result<()>>>,
    runtime: Option<Runtime>,
    _shared: Option<RwLockReadGuard<'static, ()>>,
}

impl Retrace {
    pub async fn start() -> Retrace {
        Retrace::with(|_| {}).await
    }

    pub async fn with(tweak: impl FnOnce(&mut Settings)) -> Retrace {
        let shared = SHARED.read().await;
        let mut retrace = Retrace::alone(tweak).await;
        retrace._shared = Some(shared);
        retrace
    }

    /// For a test that holds [`outage`].
    pub async fn alone(tweak: impl FnOnce(&mut Settings)) -> Retrace {
        let settings = new_settings(tweak).await;
        migrations::migrate(&settings).await.unwrap();
        Retrace::run(settings, true).await
    }

    /// Services over stores that exist.
    pub async fn run(settings: Settings, first_start: bool) -> Retrace {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let handle = runtime.handle().clone();
        let starting = tokio::task::spawn_blocking(move || handle.block_on(start(settings, first_start)));
        let (settings, stop, running) = starting.await.unwrap();
        let client = Client::new(&format!("http://{}", settings.listen), &settings.bootstrap_api_key);
        Retrace { settings, client, stop, running: Some(running), runtime: Some(runtime), _shared: None }
    }

    /// A key of another user, who is a member.
    pub async fn key_of(&self, tenant: &str, user: &str) -> Client {
        self.key_as(tenant, user, "member").await
    }

    /// A key of another user, of a role.
    pub async fn key_as(&self, tenant: &str, user: &str, role: &str) -> Client {
        let pool = runtime::postgres::pool(&self.settings).unwrap();
        let system = System { settings: &self.settings, pool: &pool };
        let (tenant, org) = (tenant.to_owned(), Some(tenant.to_owned()));
        let principal = Principal { tenant, user: user.to_owned(), org, role: role.to_owned(), key: None };
        let key = system.create_key(&principal, None).await.unwrap();
        eventually("the key", async || system.knows_key(&key).await.unwrap()).await;
        self.client.with_key(&key)
    }

    /// Stops the services, and starts them again over the same stores.
    pub async fn restart(mut self) -> Retrace {
        self.stop().await;
        self.again().await
    }

    /// Ends the services in the middle of whatever they are doing, and starts them again.
    pub async fn crash(mut self) -> Retrace {
        self.end_abruptly().await;
        self.again().await
    }

    async fn again(mut self) -> Retrace {
        let shared = self._shared.take();
        let mut again = Retrace::run((*self.settings).clone(), false).await;
        again._shared = shared;
        again
    }

    pub async fn stop(&mut self) {
        self.stop.cancel();
        if let Some(running) = self.running.take() {
            let _ = running.await.unwrap();
        }
    }

    /// Every task is dropped where it waits: nothing is flushed, drained or answered.
    async fn end_abruptly(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
        // Threads beside the runtime end by this; its tasks do not run any more.
        self.stop.cancel();
        if let Some(running) = self.running.take() {
            let _ = running.await;
        }
    }

    /// Waits until every projection has applied the whole log.
    pub async fn settled(&self) {
        level(&self.settings).await;
    }

    /// Every record of a topic.
    pub async fn log(&self, topic: &'static str) -> Vec<Record> {
        let log = self.log_reader();
        let read = move || {
            let mut records = Vec::new();
            log.read(topic, &log.ends(topic)?, |record| {
                records.push(record);
                Ok(())
            })?;
            anyhow::Ok(records)
        };
        tokio::task::spawn_blocking(read).await.unwrap().unwrap()
    }

    /// One batch of erasures; how many deletions it held.
    pub async fn erase(&self) -> usize {
        let pool = runtime::postgres::pool(&self.settings).unwrap();
        let client = migrations::clickhouse::client(&self.settings);
        Eraser::new(Arc::clone(&self.settings), client, pool).unwrap().erase().await.unwrap()
    }

    /// Whose sealing keys stand in the log, but for those of the audit.
    pub async fn sealed_under(&self) -> BTreeSet<String> {
        let keys = self.log(topics::KEYS).await.into_iter().filter(|record| record.value.is_some());
        let owners = keys.filter_map(|record| Some(sealing::parse_key_record_key(&record.key)?.1.to_owned()));
        owners.filter(|owner| !owner.starts_with("audit/")).collect()
    }

    /// Builds the workspace anew from the log.
    pub async fn rebuild_workspace(&self) {
        rebuild(&self.settings, "workspace", Duration::from_secs(2)).await.unwrap();
    }

    fn log_reader(&self) -> LogReader {
        LogReader {
            config: runtime::kafka::client_config(&self.settings),
            topic_prefix: self.settings.topic_prefix.clone(),
        }
    }

    /// The reference fold over the whole log.
    pub async fn fold(&self) -> Fold {
        let log = self.log_reader();
        let read = move || {
            let mut fold = Fold::new();
            for topic in [topics::KEYS, topics::DEAD_LETTER, topics::WORKSPACE, topics::TELEMETRY] {
                let ends = log.ends(topic)?;
                log.read(topic, &ends, |record| {
                    fold.apply(record);
                    Ok(())
                })?;
            }
            anyhow::Ok(fold)
        };
        tokio::task::spawn_blocking(read).await.unwrap().unwrap()
    }

    /// Every projection beside the fold over the log.
    pub async fn report(&self) -> Report {
        self.settled().await;
        commands::verify::compare(&self.settings, 1).await.unwrap()
    }

    /// Every projection equals the fold over the log.
    pub async fn assert_exact(&self) {
        let report = self.report().await;
        assert!(report.is_exact(), "{report}");
        assert!(report.skipped.is_empty(), "{report}");
    }
}

impl Drop for Retrace {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A projector beside the one of the installation, on threads of its own.
pub struct Projector {
    stop: CancellationToken,
    running: tokio::task::JoinHandle<anyhow::Result<()>>,
    runtime: Runtime,
}

impl Projector {
    pub fn join(settings: &Arc<Settings>) -> Projector {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let entered = runtime.enter();
        let mut tasks = Tasks::default();
        services::projector(settings, &mut tasks).unwrap();
        let stop = tasks.stop.clone();
        let running = runtime.spawn(tasks.run(Duration::from_secs(10)));
        drop(entered);
        Projector { stop, running, runtime }
    }

    pub async fn leave(self) {
        self.stop.cancel();
        self.running.await.unwrap().unwrap();
        self.runtime.shutdown_background();
    }

    /// Without a word to the others.
    pub async fn crash(self) {
        self.runtime.shutdown_background();
        self.stop.cancel();
        let _ = self.running.await;
    }
}

async fn start(
    mut settings: Settings,
    first_start: bool,
) -> (Arc<Settings>, CancellationToken, tokio::task::JoinHandle<anyhow::Result<()>>) {
    let listener = bind(&settings.listen).await;
    settings.listen = listener.local_addr().unwrap().to_string();
    let settings = Arc::new(settings);
    let mut tasks = Tasks::default();
    let (projections, _) = services::projector(&settings, &mut tasks).unwrap();
    let pool = runtime::postgres::pool(&settings).unwrap();
    let system = System { settings: &settings, pool: &pool };
    if first_start {
        system.publish_prices(schemas::prices::SHIPPED, "").await.unwrap();
        system.create_key(&local_user(), Some(&settings.bootstrap_api_key)).await.unwrap();
    }
    eventually("the first key", async || system.knows_key(&settings.bootstrap_api_key).await.unwrap()).await;
    services::start(&settings, Role::All, listener, vec![projections], &mut tasks).await.unwrap();
    let stop = tasks.stop.clone();
    (settings, stop, tokio::spawn(tasks.run(Duration::from_secs(10))))
}

/// After an abrupt end the predecessor's socket may live a moment longer.
async fn bind(address: &str) -> TcpListener {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => return listener,
            Err(cause) => assert!(Instant::now() < deadline, "{address}: {cause}"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
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
        rate_ai_per_minute: 1_000_000,
        rate_ai_burst: 1_000_000,
        rate_webhook_per_minute: 1_000_000,
        rate_webhook_burst: 1_000_000,
        freshness_wait_ms: 20_000,
        known_ids_capacity: 10_000,
        erase_interval_ms: 0,
        // Tests count records; those about members set it.
        seen_interval_seconds: 0,
        kafka_options: std::env::var("RETRACE_TEST_KAFKA_OPTIONS").unwrap_or_default(),
        flush_ms: 30,
        produce_linger_ms: 1,
        ..Settings::default()
    };
    tweak(&mut settings);
    settings
}

/// A port that nothing listens on, below those that outgoing connections take: it stays free while a service restarts.
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    for _ in 0..10_000 {
        let step = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_add(std::process::id().wrapping_mul(97));
        let port = 18_000 + (step % 12_000) as u16;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port")
}

/// Polls a condition until it holds; fails loudly when it does not.
pub async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    eventually_ok(what, async || if holds().await { Ok(()) } else { Err("not yet".to_owned()) }).await;
}

/// As [`eventually`], for a condition that can say what is missing.
pub async fn eventually_ok(what: &str, mut check: impl AsyncFnMut() -> Result<(), String>) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while let Err(missing) = check().await {
        assert!(
            Instant::now() < deadline,
            "{what} did not come within a minute: {missing}\nthe services said last:\n{}",
            log::tail()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Every projection has applied the whole log.
pub async fn level(settings: &Settings) {
    let pool = runtime::postgres::pool(settings).unwrap();
    eventually_ok("the projections", async || {
        let standings = commands::lag::standings(settings, &pool).await.map_err(|cause| format!("{cause:#}"))?;
        if standings.iter().all(|standing| standing.lag() == 0) { Ok(()) } else { Err(described(&standings)) }
    })
    .await;
}

pub fn described(standings: &[Standing]) -> String {
    let lines = standings.iter().map(|standing| {
        let Standing { projection, generation, applied, end, checkpoint_age_seconds, .. } = standing;
        format!("{projection} g{generation}: {applied} of {end} applied, the last {checkpoint_age_seconds} s ago")
    });
    lines.collect::<Vec<_>>().join("; ")
}
