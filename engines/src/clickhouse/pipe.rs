//! Formats whose answer is one file, such as Parquet. The engine formats the blocks of a stream each on its own, and so
//! has only whole answers of such a format; here it writes the file into a named pipe, which is read while it does.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use tokio::sync::mpsc;

use super::engine::Shared;
use super::error::HttpError;
use super::execute::{HEAD, Reply, ReplySender};
use super::ffi::Connection;
use super::request::Statement;
use super::sql;

const PIECE: usize = 256 << 10;

/// Whether a format is one file that is written from its beginning to its end.
pub(super) fn is_file(format: &str) -> bool {
    format == "Parquet"
}

/// A named pipe that is gone with this.
struct Pipe(PathBuf);

impl Pipe {
    fn new() -> std::io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("retrace-{}-{}.pipe", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        // One of a process that had this id before.
        let _ = std::fs::remove_file(&path);
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)?;
        Ok(Self(path))
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Where the bytes of the file went.
enum Gone {
    /// All of them are here: nothing was sent yet.
    Nowhere(ReplySender, Vec<Bytes>),
    Sent(mpsc::Sender<Result<Bytes, HttpError>>),
    /// Nobody wants them any more.
    Away,
}

pub(super) fn run(shared: &Shared, connection: &mut Connection, statement: &Statement, reply: ReplySender) {
    let (pipe, writer, reader) = match ends() {
        Ok(ends) => ends,
        Err(cause) => return drop(reply.send(Err(HttpError::internal(&cause.to_string())))),
    };
    let path = sql::string_literal(&pipe.0.to_string_lossy());
    let sql = format!("{} INTO OUTFILE {path} APPEND", statement.sql);
    let (gone, outcome) = std::thread::scope(|threads| {
        let reader = threads.spawn(|| {
            let gone = forward(reader, reply);
            if matches!(gone, Gone::Away) {
                kill(shared, &path);
            }
            gone
        });
        let outcome = connection.query(&sql, statement.format(), &statement.params).map_err(HttpError::from);
        // The reader's end of the file.
        drop(writer);
        (reader.join(), outcome)
    });
    match (gone, outcome) {
        (Ok(Gone::Nowhere(reply, pieces)), Ok(_)) => {
            drop(reply.send(Ok(Reply::Whole { body: pieces.concat().into(), rows: (0, 0, 0) })));
        }
        (Ok(Gone::Nowhere(reply, _)), Err(error)) => drop(reply.send(Err(error))),
        (Ok(Gone::Sent(sender)), Err(error)) => drop(sender.blocking_send(Err(error))),
        (Ok(Gone::Sent(_) | Gone::Away) | Err(_), _) => {}
    }
}

/// That nobody reads a pipe any more does not stop a statement: it goes on to its end and writes nothing.
fn kill(shared: &Shared, path: &str) {
    let sql = format!("KILL QUERY WHERE position(query, {path}) > 0 AND query_id != queryID()");
    if let Ok(mut connection) = shared.connect(&Statement::default()) {
        drop(connection.query(&sql, "Null", &[]));
    }
}

/// The pipe, a writer that keeps it open, and its reader.
fn ends() -> std::io::Result<(Pipe, File, File)> {
    let pipe = Pipe::new()?;
    // While both ends are open, no opening waits for the other.
    let _both = OpenOptions::new().read(true).write(true).open(&pipe.0)?;
    let reader = OpenOptions::new().read(true).open(&pipe.0)?;
    let writer = OpenOptions::new().write(true).open(&pipe.0)?;
    Ok((pipe, writer, reader))
}

/// Passes the file on, from its first [`HEAD`] bytes.
fn forward(mut file: File, reply: ReplySender) -> Gone {
    let (mut head, mut size) = (Vec::new(), 0);
    while size < HEAD {
        match piece(&mut file) {
            Some(piece) => {
                size += piece.len();
                head.push(piece);
            }
            None => return Gone::Nowhere(reply, head),
        }
    }
    let (sender, rest) = mpsc::channel(2);
    if reply.send(Ok(Reply::Stream { head, rest })).is_err() {
        return Gone::Away;
    }
    while let Some(piece) = piece(&mut file) {
        if sender.blocking_send(Ok(piece)).is_err() {
            return Gone::Away;
        }
    }
    Gone::Sent(sender)
}

fn piece(file: &mut File) -> Option<Bytes> {
    let mut buffer = vec![0; PIECE];
    let length = file.read(&mut buffer).ok().filter(|length| *length > 0)?;
    buffer.truncate(length);
    Some(buffer.into())
}
