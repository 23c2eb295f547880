//! What a child says, copied into a file of bounded size; and the end of log files, to explain a failure.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, PipeReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::thread;

/// Then the file is renamed to `.1` and a new one begun.
const MAX_FILE: u64 = 10 << 20;
const MAX_LINE: u64 = 16 << 10;
const TAIL: u64 = 16 << 10;

/// Copies until all of the child's ends of the pipe are closed.
pub(crate) fn copy_in_background(from: PipeReader, to: PathBuf, is_noise: fn(&str) -> bool) {
    thread::spawn(move || {
        let mut from = BufReader::new(from);
        let mut file = BoundedFile::open(to);
        let mut line = Vec::new();
        // On a full disk reading goes on: a child must not block on its own log.
        while let Ok(1..) = from.by_ref().take(MAX_LINE).read_until(b'\n', &mut line) {
            if !is_noise(&String::from_utf8_lossy(&line)) {
                let _ = file.as_mut().map(|file| file.write(&line));
            }
            line.clear();
        }
    });
}

struct BoundedFile {
    path: PathBuf,
    file: File,
    size: u64,
}

impl BoundedFile {
    fn open(path: PathBuf) -> io::Result<Self> {
        let file = File::options().create(true).append(true).open(&path)?;
        let size = file.metadata()?.len();
        Ok(Self { path, file, size })
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        if self.size > MAX_FILE {
            fs::rename(&self.path, self.path.with_extension("log.1"))?;
            *self = Self::open(self.path.clone())?;
        }
        self.size += line.len() as u64;
        self.file.write_all(line)
    }
}

/// The current end of a log, so that only what comes after it is looked at.
pub(crate) fn position(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// The most telling of the lines after `from`: the last that speaks of an error, else the last.
pub(crate) fn telling_line(path: &Path, from: u64) -> Option<String> {
    let mut file = File::open(path).ok()?;
    let size = file.metadata().ok()?.len();
    // A file that was begun anew is read whole.
    let from = if from <= size { from } else { 0 };
    file.seek(SeekFrom::Start(from.max(size.saturating_sub(TAIL)))).ok()?;
    let mut text = Vec::new();
    file.take(TAIL).read_to_end(&mut text).ok()?;
    let text = String::from_utf8_lossy(&text);
    let lines: VecDeque<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let speaks = |line: &&&str| {
        ["ERROR", "FATAL", "PANIC", "Error", "Exception", "cannot"].iter().any(|word| line.contains(word))
    };
    lines.iter().rev().find(speaks).or_else(|| lines.back()).map(|line| line.chars().take(400).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_about_the_error_is_found() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("x.log");
        fs::write(&path, "ERROR old\n").unwrap();
        let from = position(&path);
        fs::write(&path, "ERROR old\nstarting\nERROR: disk full\nstopped\n").unwrap();
        assert_eq!(telling_line(&path, from).unwrap(), "ERROR: disk full");
        assert_eq!(telling_line(&path, 1000).unwrap(), "ERROR: disk full");
        assert_eq!(telling_line(&temp.path().join("none"), 0), None);
    }

    #[test]
    fn a_log_is_bounded() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("x.log");
        let mut file = BoundedFile::open(path.clone()).unwrap();
        let line = vec![b'x'; 1 << 20];
        for _ in 0..30 {
            file.write(&line).unwrap();
        }
        assert!(position(&path) <= MAX_FILE + (1 << 20));
        assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 2);
    }
}
