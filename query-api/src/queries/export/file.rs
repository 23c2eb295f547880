//! A file in pieces, as they are sent.

use std::pin::Pin;

use axum::body::Bytes;
use clickhouse::error::{Error, Result};
use clickhouse::query::{BytesCursor, RowCursor};
use futures::{Stream, StreamExt, stream};

use super::asked::{Asked, Format};
use super::lines::{self, Line};
use super::{csv, statement};
use crate::stores::AsOf;

const PIECE: usize = 64 << 10;

pub type Pieces = Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

/// The file from its first piece on, which is awaited: what fails before it is no file yet.
pub async fn begin<L: Line>(at: &AsOf, asked: &Asked) -> Result<Pieces> {
    let is_of_clickhouse = asked.format == Format::Parquet;
    let query = statement::query(L::EXPORTED, at, &asked.filters, asked.payloads, !is_of_clickhouse);
    let mut pieces: Pieces = if is_of_clickhouse {
        Box::pin(stream::try_unfold(query.fetch_bytes("Parquet")?, next_bytes))
    } else {
        let mut start = Vec::new();
        if asked.format == Format::Csv {
            csv::write_header(L::EXPORTED, asked.payloads, &mut start);
        }
        let rows = Lines { cursor: query.fetch::<L>()?, format: asked.format, payloads: asked.payloads, start };
        Box::pin(stream::try_unfold(rows, Lines::next))
    };
    match pieces.next().await.transpose()? {
        Some(first) => Ok(Box::pin(stream::iter([Ok(first)]).chain(pieces))),
        None => Ok(Box::pin(stream::empty())),
    }
}

async fn next_bytes(mut cursor: BytesCursor) -> Result<Option<(Bytes, BytesCursor)>> {
    Ok(cursor.next().await?.map(|bytes| (bytes, cursor)))
}

struct Lines<L> {
    cursor: RowCursor<L>,
    format: Format,
    payloads: bool,
    /// What comes before the first line.
    start: Vec<u8>,
}

impl<L: Line> Lines<L> {
    async fn next(mut self) -> Result<Option<(Bytes, Lines<L>)>> {
        let mut piece = std::mem::take(&mut self.start);
        let mut json = Vec::new();
        while piece.len() < PIECE {
            let Some(mut line) = self.cursor.next().await? else { break };
            if !self.payloads {
                line.leave_payloads_out();
            }
            let written = if self.format == Format::Csv {
                json.clear();
                lines::write(&line, &mut json)
                    .and_then(|()| csv::write_record(&json, L::EXPORTED, self.payloads, &mut piece))
            } else {
                lines::write(&line, &mut piece)
            };
            written.map_err(|cause| Error::Other(Box::new(cause)))?;
        }
        Ok((!piece.is_empty()).then(|| (piece.into(), self)))
    }
}
