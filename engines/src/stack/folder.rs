//! The data folder: one process at a time, on a disk with room.

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use rustix::fs::{FlockOperation, flock, statvfs};

const LOCK: &str = "retrace.lock";

/// Holds the folder until it is dropped, or the process ends.
pub(crate) struct DataFolder {
    path: PathBuf,
    lock: File,
}

impl DataFolder {
    pub(crate) fn open(path: &Path, min_free: u64) -> anyhow::Result<Self> {
        let unusable =
            || format!("The data folder {} cannot be used; choose another with --data or RETRACE_DATA", path.display());
        fs::create_dir_all(path).with_context(unusable)?;
        let path = fs::canonicalize(path).with_context(unusable)?;
        // The folder itself may be anything that exists; what is recorded is for its owner alone.
        for name in ["kafka", "clickhouse", "logs"] {
            private_folder(&path.join(name)).with_context(unusable)?;
        }
        let lock = lock(&path)?;
        let space = statvfs(&path).with_context(unusable)?;
        let free = space.f_bavail.saturating_mul(space.f_frsize);
        if free < min_free {
            bail!(
                "The disk of {} has {} MB free and at least {} MB are needed: free some, or choose another folder with --data or RETRACE_DATA",
                path.display(),
                free >> 20,
                min_free >> 20
            );
        }
        Ok(Self { path, lock })
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for DataFolder {
    fn drop(&mut self) {
        // Closing is not enough: a child that another thread has just forked holds the file until it runs its program.
        if let Err(cause) = flock(&self.lock, FlockOperation::Unlock) {
            tracing::warn!(%cause, "the data folder's lock is not given back");
        }
    }
}

fn private_folder(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

fn lock(path: &Path) -> anyhow::Result<File> {
    let unusable = || format!("The data folder {} cannot be locked", path.display());
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path.join(LOCK))
        .with_context(unusable)?;
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        let mut holder = String::new();
        let _ = file.read_to_string(&mut holder);
        let holder =
            if holder.trim().is_empty() { "another process".to_owned() } else { format!("process {}", holder.trim()) };
        bail!(
            "The data folder {} is in use by {holder}: stop it, or choose another folder with --data or RETRACE_DATA",
            path.display()
        );
    }
    file.set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| writeln!(file, "{}", std::process::id()))
        .with_context(unusable)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_in_use_names_its_holder() {
        let temp = tempfile::tempdir().unwrap();
        let held = DataFolder::open(temp.path(), 0).unwrap();
        let error = DataFolder::open(temp.path(), 0).err().unwrap().to_string();
        assert!(error.contains(&format!("is in use by process {}", std::process::id())), "{error}");
        drop(held);
        DataFolder::open(temp.path(), 0).unwrap();
    }

    /// Found by a test that started again while another one forked.
    #[test]
    fn a_forked_child_does_not_keep_the_folder() {
        let temp = tempfile::tempdir().unwrap();
        let held = DataFolder::open(temp.path(), 0).unwrap();
        // What a child has of it.
        let _inherited = held.lock.try_clone().unwrap();
        drop(held);
        DataFolder::open(temp.path(), 0).unwrap();
    }

    #[test]
    fn a_full_disk_is_told_beforehand() {
        let temp = tempfile::tempdir().unwrap();
        let error = DataFolder::open(temp.path(), u64::MAX).err().unwrap().to_string();
        assert!(error.contains("MB free and at least"), "{error}");
    }
}
