//! All engines together, as children of this process.

mod config;
mod explain;
mod folder;
mod logs;
pub(crate) mod ports;
pub(crate) mod recipe;
pub(crate) mod secret;
mod spawn;
mod supervise;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::task::{JoinSet, spawn_blocking};

pub use config::{Endpoints, StackConfig};
use folder::DataFolder;
use ports::{Ports, taken_sentence};
pub use recipe::Engine;
pub use supervise::EngineHealth;
use supervise::Supervised;

/// Within this all engines are stopped, the slow ones by force.
const STOPPING: Duration = Duration::from_secs(8);
/// Ports that were free can be taken before an engine binds them.
const PORT_ATTEMPTS: u32 = 3;

/// Running engines. Dropping it kills them; [`Stack::stop`] lets them end in good order.
pub struct Stack {
    endpoints: Endpoints,
    engines: Arc<[Supervised; 3]>,
    folder: DataFolder,
}

impl Stack {
    /// Finds or fetches the engines, starts them together and waits until all serve.
    pub async fn start(config: StackConfig) -> anyhow::Result<Self> {
        spawn_blocking(move || {
            let folder = DataFolder::open(&config.data, config.min_free)?;
            let files = crate::cache::fetch_all(&config.cache)?;
            let mut attempt = 1;
            loop {
                let ports = Ports::choose(config.port_base)?;
                let (endpoints, engines) = config::assemble(&config, &files, &folder, ports)?;
                match wait_for_all(&engines) {
                    Ok(()) => {
                        return Ok(Self { endpoints, engines: Arc::new(engines), folder });
                    }
                    Err(error) => {
                        drop(engines);
                        match ports.taken() {
                            Some(_) if config.port_base.is_none() && attempt < PORT_ATTEMPTS => attempt += 1,
                            Some((port, engine)) => {
                                return Err(error.context(taken_sentence(port, engine)));
                            }
                            None => return Err(error),
                        }
                    }
                }
            }
        })
        .await
        .context("Starting the engines failed unexpectedly")?
    }

    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// The data folder's full path.
    pub fn data(&self) -> &std::path::Path {
        self.folder.path()
    }

    pub fn health(&self) -> Vec<EngineHealth> {
        self.engines.iter().map(Supervised::health).collect()
    }

    pub fn pid(&self, engine: Engine) -> Option<u32> {
        self.of(engine).pid()
    }

    /// SIGKILL, for fault tests; the engine comes back by itself.
    pub fn kill(&self, engine: Engine) {
        self.of(engine).kill();
    }

    /// Stops an engine and holds it down, for outage tests.
    pub async fn stop_engine(&self, engine: Engine) {
        self.of(engine).hold_down();
        let deadline = Instant::now() + STOPPING;
        self.blocking(move |engines| engines[engine as usize].wait_until_gone(deadline)).await;
    }

    /// Starts an engine that was held down, and waits until it serves.
    pub async fn start_engine(&self, engine: Engine) -> anyhow::Result<()> {
        self.of(engine).let_run();
        self.wait_until_up(engine).await
    }

    /// Waits until an engine serves, for instance after [`Stack::kill`].
    pub async fn wait_until_up(&self, engine: Engine) -> anyhow::Result<()> {
        self.blocking(move |engines| engines[engine as usize].wait_until_up()).await
    }

    /// Stops all engines, within eight seconds.
    pub async fn stop(self) {
        for engine in self.engines.iter() {
            engine.begin_end();
        }
        let deadline = Instant::now() + STOPPING;
        self.blocking(move |engines| engines.iter().for_each(|engine| engine.wait_until_gone(deadline))).await;
    }

    fn of(&self, engine: Engine) -> &Supervised {
        &self.engines[engine as usize]
    }

    async fn blocking<T: Send + 'static>(&self, work: impl FnOnce(&[Supervised; 3]) -> T + Send + 'static) -> T {
        let engines = self.engines.clone();
        let mut task = JoinSet::new();
        task.spawn_blocking(move || work(&engines));
        match task.join_all().await.pop() {
            Some(result) => result,
            None => unreachable!("one task was spawned"),
        }
    }
}

fn wait_for_all(engines: &[Supervised]) -> anyhow::Result<()> {
    engines.iter().try_for_each(Supervised::wait_until_up)
}
