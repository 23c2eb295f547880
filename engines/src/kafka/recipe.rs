//! How the stack runs the broker.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, bail};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};
use rustix::process::Signal;

use super::command::Programs;
use super::{config, wire};
use crate::cache::Engines;
use crate::stack::recipe::{Engine, Launch, Recipe};

pub(crate) struct KafkaRecipe {
    pub(crate) engines: Engines,
    pub(crate) folder: PathBuf,
    pub(crate) log_file: PathBuf,
    pub(crate) port: u16,
    pub(crate) controller_port: u16,
    /// Compile quickly rather than well: for tests.
    pub(crate) c1_only: bool,
    pub(crate) heap_mb: u32,
    /// Further lines of `server.properties`.
    pub(crate) extra: String,
}

pub(super) fn cluster_id() -> anyhow::Result<String> {
    let mut id = [0; 16];
    SystemRandom::new().fill(&mut id).ok().context("The system gives no random numbers")?;
    // Else one id in 64 begins with a dash, and Kafka's tool takes it for an option.
    id[0] &= 0x7f;
    Ok(URL_SAFE_NO_PAD.encode(id))
}

impl KafkaRecipe {
    fn programs(&self) -> Programs<'_> {
        Programs {
            java: &self.engines.java,
            jars: &self.engines.kafka_jars,
            folder: &self.folder,
            log_file: &self.log_file,
        }
    }
}

impl Recipe for KafkaRecipe {
    fn engine(&self) -> Engine {
        Engine::Kafka
    }

    fn prepare(&self) -> anyhow::Result<()> {
        // Kafka takes a comma for the end of the first of several folders.
        if self.folder.to_str().is_none_or(|path| path.contains([',', '\\', '\n'])) {
            bail!(
                "its folder {} must be without commas and backslashes; choose another data folder",
                self.folder.display()
            );
        }
        let unusable = || format!("Kafka's folder {} cannot be written", self.folder.display());
        fs::create_dir_all(&self.folder).with_context(unusable)?;
        config::write(&self.folder, self.port, self.controller_port, &self.extra).with_context(unusable)?;
        if self.folder.join("log/meta.properties").exists() {
            return Ok(());
        }
        let output = Command::new(&self.engines.java.program)
            .args(self.programs().format(&cluster_id()?))
            .output()
            .context("Java cannot be started")?;
        if !output.status.success() {
            bail!(
                "Kafka could not prepare {}: {}",
                self.folder.display(),
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        Ok(())
    }

    fn launch(&self) -> anyhow::Result<Launch> {
        let mut jvm: Vec<OsString> = Vec::new();
        if let Some(archive) = &self.engines.kafka_archive {
            let mut flag = OsString::from("-XX:SharedArchiveFile=");
            flag.push(archive);
            jvm.push(flag);
        }
        if self.c1_only {
            jvm.push("-XX:TieredStopAtLevel=1".into());
        }
        Ok(Launch::new(self.engines.java.program.clone(), self.programs().broker(self.heap_mb, &jvm), Signal::TERM))
    }

    fn is_ready(&self) -> bool {
        wire::serves(self.port)
    }

    fn logs(&self) -> Vec<PathBuf> {
        vec![self.log_file.clone()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cluster_id_looks_like_an_option() {
        for _ in 0..1_000 {
            assert!(!cluster_id().unwrap().starts_with('-'));
        }
    }
}
