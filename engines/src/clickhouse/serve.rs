//! The front's process: listens, serves, and on SIGTERM finishes what runs and stops the engine.

use std::ffi::OsString;
use std::future::Future;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use axum::Router;
use axum::routing::{any, get};
use rustix::process::{Signal, getpid, kill_process};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;

use super::PASSWORD_VARIABLE;
use super::engine::Shared;
use super::handler::handle;

/// How long running statements may still take after SIGTERM.
const DRAIN: Duration = Duration::from_secs(4);

/// With what the library maps itself, the process then stays below 1.2 GB.
pub(crate) const DEFAULT_MEMORY: u64 = 768 << 20;

#[derive(Debug)]
pub struct FrontConfig {
    /// Statements at a time; more wait.
    pub statements: usize,
    /// Memory the engine may allocate, in bytes.
    pub memory: u64,
    /// Asked of every request but `/ping`.
    pub password: Option<String>,
}

impl Default for FrontConfig {
    fn default() -> Self {
        Self { statements: 16, memory: DEFAULT_MEMORY, password: None }
    }
}

/// Serves until SIGTERM or SIGINT. Blocks; brings its own runtime.
pub fn serve(lib: &Path, data: &Path, listen: SocketAddr, config: FrontConfig) -> anyhow::Result<()> {
    // Bound before the engine is loaded: a taken port is known at once, and early requests wait in the backlog.
    let listener = TcpListener::bind(listen).with_context(|| format!("ClickHouse cannot listen on {listen}"))?;
    listener.set_nonblocking(true).context("ClickHouse's port cannot be used")?;
    std::fs::create_dir_all(data).with_context(|| format!("The folder {} cannot be created", data.display()))?;
    let shared = Arc::new(Shared::open(lib, data, config.memory, config.statements, config.password)?);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(config.statements + 1)
        .enable_all()
        .build()
        .context("ClickHouse's front cannot start its threads")?;
    let drained = runtime.block_on(listen_until_stopped(listener, shared.clone()))?;
    if drained {
        drop(runtime);
        if let Some(shared) = Arc::into_inner(shared) {
            shared.close();
            return Ok(());
        }
    }
    // Closing under a running statement aborts, and so may the library's exit handlers. What is on disk is consistent.
    Ok(kill_process(getpid(), Signal::KILL)?)
}

/// Gives whether all requests were finished in time.
async fn listen_until_stopped(listener: TcpListener, shared: Arc<Shared>) -> anyhow::Result<bool> {
    let stop = stop_signal()?;
    let (stopping, mut stopped) = tokio::sync::watch::channel(());
    let router = Router::new().route("/ping", get(|| async { "Ok.\n" })).route("/", any(handle)).with_state(shared);
    let listener = tokio::net::TcpListener::from_std(listener).context("ClickHouse's port cannot be used")?;
    let server = axum::serve(listener, router).with_graceful_shutdown(async move {
        stop.await;
        drop(stopping);
    });
    let mut server = tokio::spawn(server.into_future());
    tokio::select! {
        result = &mut server => { result.context("ClickHouse's front failed")?.context("ClickHouse's front failed")?; Ok(true) }
        _ = stopped.changed() => Ok(timeout(DRAIN, server).await.is_ok()),
    }
}

fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be handled")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be handled")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// The hidden subcommand: `--lib FILE --data FOLDER --listen ADDRESS [--memory BYTES]`, the password by environment.
pub fn serve_from_args(args: impl IntoIterator<Item = OsString>) -> anyhow::Result<()> {
    let mut args = args.into_iter();
    let (mut lib, mut data, mut listen) = (None, None, None);
    let mut config = FrontConfig { password: std::env::var(PASSWORD_VARIABLE).ok(), ..FrontConfig::default() };
    while let Some(flag) = args.next() {
        let value = args.next().with_context(|| format!("{} needs a value", flag.display()))?;
        match flag.to_str() {
            Some("--lib") => lib = Some(PathBuf::from(value)),
            Some("--data") => data = Some(PathBuf::from(value)),
            Some("--listen") => listen = Some(number::<SocketAddr>(&value, "--listen")?),
            Some("--memory") => config.memory = number(&value, "--memory")?,
            _ => bail!("{} is not an option of engine-clickhouse", flag.display()),
        }
    }
    let (Some(lib), Some(data), Some(listen)) = (lib, data, listen) else {
        bail!("engine-clickhouse needs --lib, --data and --listen");
    };
    serve(&lib, &data, listen, config)
}

fn number<T: std::str::FromStr>(value: &OsString, flag: &str) -> anyhow::Result<T> {
    value.to_str().and_then(|v| v.parse().ok()).with_context(|| format!("{flag} does not take {}", value.display()))
}
