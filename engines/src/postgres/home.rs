//! The data folder as Postgres is told of it.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};

use crate::unprivileged::{Account, account};

/// As root, Postgres runs as another user, for whom folders above (`/root`) may be closed. So it inherits the open
/// folder and reaches it through `/proc/self/fd`, which asks for no right on the way.
pub(super) struct Home {
    pub(super) path: PathBuf,
    pub(super) run_as: Option<Account>,
    pub(super) inherited: Option<Arc<File>>,
}

impl Home {
    /// Opens the folder, or makes it, with the owner and mode that Postgres demands.
    pub(super) fn open(folder: &Path) -> anyhow::Result<Self> {
        Self::try_open(folder).with_context(|| format!("Postgres's folder {} cannot be used", folder.display()))
    }

    fn try_open(folder: &Path) -> anyhow::Result<Self> {
        let run_as = account();
        if !folder.exists() {
            fs::create_dir_all(folder)?;
            fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
            if let Some(Account { uid, gid }) = run_as {
                chown(folder, Some(uid), Some(gid))?;
            }
        }
        let metadata = fs::metadata(folder)?;
        let owner = Account { uid: metadata.uid(), gid: metadata.gid() };
        let Some(account) = run_as else {
            if owner.uid != rustix::process::geteuid().as_raw() {
                bail!("it belongs to user {}: start retrace as that user or as root", owner.uid);
            }
            return Ok(Self { path: folder.to_path_buf(), run_as: None, inherited: None });
        };
        // Data that an ordinary user made keeps its owner, so that this user can use it again.
        let run_as = Some(if owner.uid == 0 { account } else { owner });
        let inherited = File::open(folder)?;
        let path = PathBuf::from(format!("/proc/self/fd/{}", inherited.as_raw_fd()));
        Ok(Self { path, run_as, inherited: Some(Arc::new(inherited)) })
    }
}

/// Empties what a broken-off initialisation left.
pub(super) fn clear(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
