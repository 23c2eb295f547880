//! Commands beside a running `retrace up` find its engines by its data folder.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use runtime::Settings;

#[derive(Args, Clone)]
pub struct Local {
    /// The data folder of a running `retrace up` to work on; without it the settings say where the stores are.
    #[arg(long, env = "RETRACE_DATA", global = true)]
    pub data: Option<PathBuf>,
}

const FILE: &str = "endpoints.toml";

impl Local {
    pub fn settings(&self, mut settings: Settings) -> anyhow::Result<Settings> {
        let Some(data) = &self.data else { return Ok(settings) };
        let path = data.join(FILE);
        let text = fs::read_to_string(&path)
            .with_context(|| format!("{} cannot be read; is `retrace up` running on this folder?", path.display()))?;
        let values: BTreeMap<String, String> = toml::from_str(&text)?;
        for (key, value) in values {
            settings.set(&key, &value)?;
        }
        Ok(settings)
    }
}

/// Leaves for those commands where the engines are.
pub fn publish(data: &Path, settings: &Settings) -> anyhow::Result<()> {
    let values = BTreeMap::from([
        ("listen", &settings.listen),
        ("public_url", &settings.public_url),
        ("kafka_brokers", &settings.kafka_brokers),
        ("clickhouse_url", &settings.clickhouse_url),
        ("clickhouse_user", &settings.clickhouse_user),
        ("clickhouse_password", &settings.clickhouse_password),
        ("postgres_url", &settings.postgres_url),
        ("secret", &settings.secret),
        ("topic_prefix", &settings.topic_prefix),
    ]);
    write_private(&data.join(FILE), &toml::to_string(&values)?)
}

/// A file that only its owner reads.
pub fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let written = || -> std::io::Result<()> {
        let partial = path.with_extension("partial");
        let mut file = fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&partial)?;
        file.write_all(text.as_bytes())?;
        fs::rename(&partial, path)
    };
    written().with_context(|| format!("{} cannot be written", path.display()))
}
