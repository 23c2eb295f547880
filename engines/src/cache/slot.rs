//! One folder of the cache: locked while it is looked at, filled beside its place and then renamed.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;
use rustix::fs::{FlockOperation, flock};

use super::manifest::{self, State};
use super::progress::{Step, say};

/// Gives the folder `name` of the cache, after filling it by `fill` if it is absent or damaged.
pub(super) fn find_or_fill(
    cache: &Path,
    name: &str,
    title: &'static str,
    detail: &str,
    fill: impl FnOnce(&Path) -> anyhow::Result<()>,
) -> anyhow::Result<PathBuf> {
    let folder = cache.join(name);
    let _lock = lock(cache, name, title).with_context(|| {
        format!("The cache folder {} cannot be used; set RETRACE_CACHE to another", cache.display())
    })?;
    match manifest::check(&folder) {
        State::Whole => return Ok(folder),
        State::Absent => {}
        State::Damaged(fault) => {
            say(&format!("  {title}: the copy in the cache is damaged ({fault}), so it is made anew"));
            fs::remove_dir_all(&folder).with_context(|| {
                format!("The damaged folder {} cannot be removed; delete it and start again", folder.display())
            })?;
        }
    }
    let step = Step::start(title, detail);
    // The lock is held, so a folder of that name is what an interrupted run left.
    let temporary = cache.join(format!(".{name}.partial"));
    remove_if_present(&temporary)?;
    fs::create_dir_all(&temporary).with_context(|| format!("{} cannot be created", temporary.display()))?;
    fill(&temporary)?;
    manifest::write(&temporary)
        .and_then(|()| fs::rename(&temporary, &folder))
        .with_context(|| format!("{title} cannot be stored in {}; is its disk full?", cache.display()))?;
    step.done();
    Ok(folder)
}

fn remove_if_present(folder: &Path) -> anyhow::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} cannot be removed; delete it and start again", folder.display()))
        }
        _ => Ok(()),
    }
}

fn lock(cache: &Path, name: &str, title: &str) -> io::Result<File> {
    let file = File::options().create(true).truncate(false).write(true).open(cache.join(format!(".{name}.lock")))?;
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        say(&format!("  {title}: waiting for another process that is at it"));
        flock(&file, FlockOperation::LockExclusive)?;
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_folder_is_filled_again_and_a_whole_one_is_not() {
        let temp = tempfile::tempdir().unwrap();
        let fills = std::cell::Cell::new(0);
        let get = || {
            find_or_fill(temp.path(), "x-1", "X", "making", |folder| {
                fills.set(fills.get() + 1);
                Ok(fs::write(folder.join("f"), "content")?)
            })
            .unwrap()
        };
        let folder = get();
        assert_eq!((get(), fills.get()), (folder.clone(), 1));
        fs::write(folder.join("f"), "c0ntent").unwrap();
        get();
        assert_eq!((fs::read_to_string(folder.join("f")).unwrap().as_str(), fills.get()), ("content", 2));
    }

    #[test]
    fn a_failed_fill_leaves_nothing_in_place() {
        let temp = tempfile::tempdir().unwrap();
        let result = find_or_fill(temp.path(), "x-1", "X", "making", |_| anyhow::bail!("no network"));
        assert_eq!(result.unwrap_err().to_string(), "no network");
        assert!(!temp.path().join("x-1").exists());
    }
}
