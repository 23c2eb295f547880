//! Running one statement on its own connection. Everything here blocks.

use bytes::{Buf, Bytes};
use tokio::sync::{mpsc, oneshot};

use super::engine::Shared;
use super::error::HttpError;
use super::ffi::{Connection, ReadStream};
use super::lz4::Decoder;
use super::request::Statement;
use super::{pipe, sql};

/// As much of an answer is awaited before its status is sent, so that an error in it gets a status of its own.
pub(super) const HEAD: usize = 1 << 20;

pub(super) type ReplySender = oneshot::Sender<Result<Reply, HttpError>>;

/// A piece of an insert's body. A body that ends without `End` was broken off.
pub(super) enum Piece {
    Rows(Bytes),
    End,
}

#[derive(Debug)]
pub(super) enum Reply {
    Whole {
        body: Bytes,
        rows: (u64, u64, u64),
    },
    /// The first blocks, and the channel that brings the rest.
    Stream {
        head: Vec<Bytes>,
        rest: mpsc::Receiver<Result<Bytes, HttpError>>,
    },
}

/// Formats whose blocks may simply follow each other, save for a header that is said once.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Header {
    None,
    Names,
    NamesAndTypes,
}

fn streamable(format: &str) -> Option<Header> {
    match format {
        "RowBinary" | "JSONEachRow" | "TabSeparated" | "TSV" | "CSV" | "Native" | "JSONCompactEachRow" => {
            Some(Header::None)
        }
        "RowBinaryWithNames" => Some(Header::Names),
        "RowBinaryWithNamesAndTypes" => Some(Header::NamesAndTypes),
        _ => None,
    }
}

/// Runs anything but an insert with rows in its body; the answer goes to `reply` as soon as its beginning is there.
pub(super) fn run(shared: &Shared, statement: &Statement, reply: ReplySender) {
    let mut connection = match shared.connect(statement) {
        Ok(connection) => connection,
        Err(error) => return drop(reply.send(Err(error))),
    };
    let is_read = sql::kind(&statement.sql) == sql::Kind::Read;
    let in_pieces = is_read && !statement.buffered && !sql::may_name_format(&statement.sql);
    if in_pieces && pipe::is_file(statement.format()) {
        return pipe::run(shared, &mut connection, statement, reply);
    }
    let Some(header) = streamable(statement.format()).filter(|_| in_pieces) else {
        return drop(reply.send(whole(&mut connection, statement)));
    };
    if let Some(reply) = stream(&mut connection, statement, header, reply) {
        drop(reply.send(whole(&mut connection, statement)));
    }
}

fn whole(connection: &mut Connection, statement: &Statement) -> Result<Reply, HttpError> {
    let answer = connection.query(&statement.sql, statement.format(), &statement.params)?;
    let rows = answer.counts();
    Ok(Reply::Whole { body: answer.into_bytes(), rows })
}

/// Gives `reply` back if the statement turns out not to be a `SELECT` (`WITH … INSERT`); nothing was run then.
fn stream(
    connection: &mut Connection,
    statement: &Statement,
    header: Header,
    reply: ReplySender,
) -> Option<ReplySender> {
    let blocks = match connection.stream(&statement.sql, statement.format(), &statement.params) {
        Ok(blocks) => blocks,
        Err(error) => {
            let error = HttpError::from(error);
            if error.is_not_streamable() {
                return Some(reply);
            }
            drop(reply.send(Err(error)));
            return None;
        }
    };
    let mut blocks = Blocks { blocks, header, skip: None };
    let mut head = Vec::new();
    let mut size = 0;
    while size < HEAD {
        match blocks.next() {
            Some(Ok(block)) => {
                size += block.len();
                head.push(block);
            }
            Some(Err(error)) => {
                drop(reply.send(Err(error)));
                return None;
            }
            None => {
                drop(reply.send(Ok(Reply::Whole { body: joined(head), rows: (0, 0, 0) })));
                return None;
            }
        }
    }
    let (sender, rest) = mpsc::channel(2);
    if reply.send(Ok(Reply::Stream { head, rest })).is_ok() {
        for block in blocks {
            let failed = block.is_err();
            if sender.blocking_send(block).is_err() || failed {
                break;
            }
        }
    }
    None
}

fn joined(mut blocks: Vec<Bytes>) -> Bytes {
    match blocks.len() {
        0 | 1 => blocks.pop().unwrap_or_default(),
        _ => blocks.concat().into(),
    }
}

/// The blocks of an answer without the headers that the engine repeats.
struct Blocks<'c> {
    blocks: ReadStream<'c>,
    header: Header,
    skip: Option<usize>,
}

impl Iterator for Blocks<'_> {
    type Item = Result<Bytes, HttpError>;

    fn next(&mut self) -> Option<Self::Item> {
        let block = match self.blocks.next().transpose()? {
            Ok(block) => block,
            Err(error) => return Some(Err(error.into())),
        };
        Some(Ok(match self.skip {
            Some(skip) => block.slice(skip.min(block.len())..),
            None => {
                self.skip = Some(header_length(&block, self.header));
                block
            }
        }))
    }
}

/// The length of the header that the engine repeats in front of every block.
fn header_length(block: &[u8], header: Header) -> usize {
    let strings_a_column = match header {
        Header::None => return 0,
        Header::Names => 1,
        Header::NamesAndTypes => 2,
    };
    let mut rest = block;
    let Some(columns) = varint(&mut rest) else {
        return 0;
    };
    for _ in 0..columns.saturating_mul(strings_a_column) {
        match varint(&mut rest) {
            Some(length) if length <= rest.len() => rest.advance(length),
            _ => return 0,
        }
    }
    block.len() - rest.len()
}

fn varint(bytes: &mut &[u8]) -> Option<usize> {
    let mut value = 0_usize;
    for shift in (0..35).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// Runs an `INSERT … FORMAT X` over the pieces of its body; gives the number of rows.
pub(super) fn insert(
    shared: &Shared,
    statement: &Statement,
    mut pieces: mpsc::Receiver<Piece>,
) -> Result<u64, HttpError> {
    let (sql, format) = sql::split_format(&statement.sql)
        .ok_or_else(|| HttpError::bad_request("An INSERT with rows in its body must end in FORMAT and a name"))?;
    if !statement.params.is_empty() {
        return Err(HttpError::unsupported("query parameters on an INSERT with rows in its body"));
    }
    let mut connection = shared.connect(statement)?;
    let mut rows = connection.insert(sql, format)?;
    let mut decoder = Decoder::default();
    loop {
        match pieces.blocking_recv() {
            Some(Piece::Rows(piece)) if statement.decompress => {
                decoder.push(&piece);
                while let Some(block) = decoder.next_block()? {
                    rows.append(&block)?;
                }
            }
            Some(Piece::Rows(piece)) => rows.append(&piece)?,
            Some(Piece::End) if decoder.is_complete() => return Ok(rows.finish()?),
            Some(Piece::End) => {
                return Err(HttpError::bad_request("The last compressed block is incomplete"));
            }
            None => return Err(HttpError::bad_request("The body broke off")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_of_named_and_typed_rows_is_measured() {
        let block = b"\x02\x01a\x02bb\x06UInt64\x06String\x00\x00";
        assert_eq!(header_length(block, Header::NamesAndTypes), 20);
        assert_eq!(header_length(block, Header::Names), 6);
        assert_eq!(header_length(block, Header::None), 0);
        assert_eq!(header_length(b"\x02\x7fa", Header::Names), 0);
    }
}
