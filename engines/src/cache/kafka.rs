//! Kafka's jars, by Maven, checked against the committed list.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use super::checksum::{sha256_of, sha256_of_file};
use super::command::run;
use super::java::Java;
use super::progress::say;
use super::slot;
use crate::kafka::archive;

pub const KAFKA_VERSION: &str = "4.4.0";
const POM: &str = include_str!("../../manifest/kafka/pom.xml");
const SHA256SUMS: &str = include_str!("../../manifest/kafka/SHA256SUMS");
const COPY: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";

/// The jars in the order of the class path.
pub(super) fn find_or_fetch(cache: &Path, java: &Java) -> anyhow::Result<Vec<PathBuf>> {
    let name = format!("kafka-{KAFKA_VERSION}");
    let folder = slot::find_or_fill(
        cache,
        &name,
        "Kafka",
        &format!("fetching Apache Kafka {KAFKA_VERSION} (39 MB) by Maven"),
        |folder| {
            if let Err(fault) = fetch(folder, java, None) {
                // Maven trusts its local repository, so a damaged one would give the same jars for ever.
                say(&format!("  Kafka: {fault}; trying again with a fresh Maven repository"));
                fetch(folder, java, Some(&folder.join("repository")))?;
            }
            Ok(())
        },
    )?;
    Ok(expected()?.keys().map(|jar| folder.join(jar)).collect())
}

fn fetch(folder: &Path, java: &Java, repository: Option<&Path>) -> anyhow::Result<()> {
    let build = folder.join("build");
    fs::create_dir_all(&build)?;
    fs::write(build.join("pom.xml"), POM)?;
    let mut maven = Command::new("mvn");
    maven.args(["-B", "-q", "-ntp", "--strict-checksums", "-f"]).arg(build.join("pom.xml")).arg(COPY);
    maven.arg("-DincludeScope=runtime").arg(format!("-DoutputDirectory={}", folder.display()));
    if let Some(home) = java.program.parent().and_then(Path::parent) {
        maven.env("JAVA_HOME", home);
    }
    if let Some(repository) = repository {
        maven.arg(format!("-Dmaven.repo.local={}", repository.display()));
    }
    run(&mut maven, "Fetching Kafka")?;
    fs::remove_dir_all(&build)?;
    if let Some(repository) = repository {
        fs::remove_dir_all(repository)?;
    }
    check(folder)
}

fn check(folder: &Path) -> anyhow::Result<()> {
    let mut expected = expected()?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let jar = entry.file_name().to_string_lossy().into_owned();
        match expected.remove(jar.as_str()) {
            None => bail!("Maven brought {jar}, which is not in the committed list"),
            Some(sha256) if sha256_of_file(&entry.path())? != sha256 => {
                bail!("Kafka's {jar} is not the pinned one (its SHA-256 differs)")
            }
            Some(_) => {}
        }
    }
    match expected.keys().next() {
        Some(missing) => bail!("Maven did not bring {missing}"),
        None => Ok(()),
    }
}

fn expected() -> anyhow::Result<BTreeMap<&'static str, &'static str>> {
    let lines = SHA256SUMS.lines().map(|line| line.split_once("  ").map(|(sha256, jar)| (jar, sha256)));
    lines.collect::<Option<_>>().context("The committed list of Kafka's jars is malformed")
}

/// Made once for a pair of runtime and jars: with it a broker starts in half the time.
pub(super) fn find_or_make_archive(cache: &Path, java: &Java, jars: &[PathBuf]) -> Option<PathBuf> {
    let key = sha256_of(format!("{} {} {SHA256SUMS}", java.program.display(), java.version).as_bytes());
    let name = format!("kafka-{KAFKA_VERSION}-cds-{}", &key[..12]);
    let made = slot::find_or_fill(cache, &name, "Kafka's class archive", "making it, once", |folder| {
        archive::make(java, jars, folder)
    });
    match made {
        Ok(folder) => Some(folder.join(archive::FILE)),
        Err(error) => {
            say(&format!("  Kafka's class archive: not made ({error:#}); Kafka only starts more slowly"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_missing_and_changed_jars_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let jar = *expected().unwrap().keys().next().unwrap();
        assert_eq!(check(folder.path()).unwrap_err().to_string(), format!("Maven did not bring {jar}"));
        fs::write(folder.path().join(jar), "changed").unwrap();
        assert!(check(folder.path()).unwrap_err().to_string().contains("is not the pinned one"));
        fs::remove_file(folder.path().join(jar)).unwrap();
        fs::write(folder.path().join("extra.jar"), "").unwrap();
        assert!(
            check(folder.path()).unwrap_err().to_string().contains("extra.jar, which is not in the committed list")
        );
    }
}
