//! A small file system in memory, as a disk that can be full or locked.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const SOURCE: &str = "retrace-test-";

/// Mounted as long as this lives.
pub struct Mounted(PathBuf);

impl Mounted {
    /// None where this process may not mount.
    pub fn on(folder: &Path, options: &str) -> Option<Mounted> {
        take_away_leftovers();
        let source = format!("{SOURCE}{}", std::process::id());
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, &source]).arg(folder);
        mount.output().is_ok_and(|output| output.status.success()).then(|| Mounted(folder.to_owned()))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        unmount(&self.0);
    }
}

fn unmount(folder: &Path) {
    let _ = Command::new("umount").arg("--lazy").arg(folder).output();
}

/// Of a run that was killed.
fn take_away_leftovers() {
    for line in fs::read_to_string("/proc/mounts").unwrap_or_default().lines() {
        let mut words = line.split(' ');
        let owner = words.next().and_then(|source| source.strip_prefix(SOURCE));
        if let (Some(owner), Some(folder)) = (owner, words.next())
            && !Path::new("/proc").join(owner).exists()
        {
            unmount(Path::new(folder));
        }
    }
}
