//! What a folder of the cache must hold: path, SHA-256, size and time of every file, written when it was installed.
//!
//! A start compares names, sizes and times, which is quick; a file with another time is hashed. So damage is found
//! wherever it went through the file system.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::checksum::sha256_of_file;

const FILE: &str = "retrace-manifest.json";

#[derive(Serialize, Deserialize)]
struct Entry {
    path: PathBuf,
    sha256: String,
    size: u64,
    seconds: i64,
    nanoseconds: i64,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum State {
    Absent,
    Whole,
    /// Names what is wrong.
    Damaged(String),
}

pub(super) fn write(folder: &Path) -> io::Result<()> {
    let mut entries = Vec::new();
    for path in files(folder)? {
        let metadata = fs::metadata(folder.join(&path))?;
        let sha256 = sha256_of_file(&folder.join(&path))?;
        entries.push(Entry {
            sha256,
            size: metadata.size(),
            seconds: metadata.mtime(),
            nanoseconds: metadata.mtime_nsec(),
            path,
        });
    }
    fs::write(folder.join(FILE), serde_json::to_vec_pretty(&entries)?)
}

pub(super) fn check(folder: &Path) -> State {
    if !folder.exists() {
        return State::Absent;
    }
    match first_fault(folder) {
        Ok(None) => State::Whole,
        Ok(Some(fault)) => State::Damaged(fault),
        Err(error) => State::Damaged(error.to_string()),
    }
}

fn first_fault(folder: &Path) -> io::Result<Option<String>> {
    let mut entries: Vec<Entry> = serde_json::from_slice(&fs::read(folder.join(FILE))?)?;
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    let present = files(folder)?;
    if let Some(extra) = present.iter().find(|path| entries.binary_search_by(|e| e.path.cmp(path)).is_err()) {
        return Ok(Some(format!("{} does not belong there", extra.display())));
    }
    for entry in &entries {
        let path = folder.join(&entry.path);
        let Ok(metadata) = fs::metadata(&path) else {
            return Ok(Some(format!("{} is missing", entry.path.display())));
        };
        if metadata.size() != entry.size || (!is_untouched(entry, &metadata) && sha256_of_file(&path)? != entry.sha256)
        {
            return Ok(Some(format!("{} does not match its checksum", entry.path.display())));
        }
    }
    Ok(None)
}

fn is_untouched(entry: &Entry, metadata: &Metadata) -> bool {
    (metadata.mtime(), metadata.mtime_nsec()) == (entry.seconds, entry.nanoseconds)
}

/// All regular files below a folder, but for the manifest, by relative path in order. Links are left out.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut pending = vec![PathBuf::new()];
    while let Some(relative) = pending.pop() {
        for entry in fs::read_dir(folder.join(&relative))? {
            let entry = entry?;
            let path = relative.join(entry.file_name());
            let kind = entry.file_type()?;
            if kind.is_dir() {
                pending.push(path);
            } else if kind.is_file() && path != Path::new(FILE) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn damaged(folder: &Path) -> String {
        match check(folder) {
            State::Damaged(fault) => fault,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn damage_is_found_and_named() {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path().join("x");
        assert_eq!(check(&folder), State::Absent);
        fs::create_dir_all(folder.join("libs")).unwrap();
        fs::write(folder.join("libs/a.jar"), "abc").unwrap();
        write(&folder).unwrap();
        assert_eq!(check(&folder), State::Whole);

        fs::write(folder.join("libs/a.jar"), "abd").unwrap();
        assert_eq!(damaged(&folder), "libs/a.jar does not match its checksum");
        fs::write(folder.join("libs/a.jar"), "abc").unwrap();
        assert_eq!(check(&folder), State::Whole, "touched, but the same");

        fs::write(folder.join("libs/b.jar"), "").unwrap();
        assert_eq!(damaged(&folder), "libs/b.jar does not belong there");
        fs::remove_file(folder.join("libs/b.jar")).unwrap();
        fs::remove_file(folder.join("libs/a.jar")).unwrap();
        assert_eq!(damaged(&folder), "libs/a.jar is missing");
    }
}
