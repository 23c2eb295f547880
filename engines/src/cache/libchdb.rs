//! ClickHouse as `libchdb.so`, from npm.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use super::checksum::sha256_of_file;
use super::command::run;
use super::{platform, slot};

/// Holds ClickHouse 26.7.2.
pub const CHDB_VERSION: &str = "26.7.3-stable.1";
/// SHA-256 of the package by platform.
const PACKAGES: [(&str, &str); 1] = [("linux-x64", "c0d32b129e988f2b9a9a31c9141aecf5e1e2453f9a079efc4d36ab8e3f92b2ad")];
const OVERRIDE: &str = "RETRACE_LIBCHDB";

pub(super) fn find_or_fetch(cache: &Path) -> anyhow::Result<PathBuf> {
    if let Some(path) = std::env::var_os(OVERRIDE).filter(|path| !path.is_empty()) {
        return Ok(PathBuf::from(path));
    }
    let platform = platform();
    let Some((_, sha256)) = PACKAGES.iter().find(|(name, _)| *name == platform) else {
        bail!(
            "No checksum is pinned for ClickHouse's library on {platform}: get libchdb.so {CHDB_VERSION} \
             from the npm package @chdb/lib-{platform}-gnu and set {OVERRIDE} to its path"
        );
    };
    let name = format!("chdb-{CHDB_VERSION}-{platform}");
    let folder = slot::find_or_fill(
        cache,
        &name,
        "ClickHouse",
        &format!("fetching libchdb {CHDB_VERSION} (178 MB) by npm"),
        |folder| {
            let package =
                npm_pack(folder, &format!("@chdb/lib-{platform}-gnu@{CHDB_VERSION}"), sha256, "Fetching ClickHouse")?;
            unpack(&package, folder, &["package/libchdb.so"])
        },
    )?;
    Ok(folder.join("libchdb.so"))
}

/// Downloads a package without running its scripts and checks it; gives the archive's path.
pub(super) fn npm_pack(folder: &Path, package: &str, sha256: &str, purpose: &str) -> anyhow::Result<PathBuf> {
    let mut npm = Command::new("npm");
    npm.args(["pack", "--silent", "--ignore-scripts", "--pack-destination"])
        .arg(folder)
        .arg(package)
        .current_dir(folder);
    run(&mut npm, purpose)?;
    let archive = std::fs::read_dir(folder)?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "tgz"))
        .with_context(|| format!("{purpose} failed: npm left no package"))?;
    if sha256_of_file(&archive)? != sha256 {
        bail!(
            "{purpose} failed: the package {package} is not the pinned one (its SHA-256 differs); run `npm cache clean --force` and try again"
        );
    }
    Ok(archive)
}

/// Unpacks an archive in place and removes it.
pub(super) fn unpack(archive: &Path, folder: &Path, members: &[&str]) -> anyhow::Result<()> {
    let mut tar = Command::new("tar");
    tar.arg("-xzf").arg(archive).arg("-C").arg(folder).args(["--strip-components=1", "--no-same-owner"]).args(members);
    run(&mut tar, "Unpacking a package")?;
    Ok(std::fs::remove_file(archive)?)
}
