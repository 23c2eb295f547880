//! The answer: a file with its name, its type and the cursor behind it.

use std::vec::IntoIter;

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use futures::{StreamExt, stream};
use runtime::Problem;
use runtime::auth::Principal;

use super::asked::{Asked, Format};
use super::entry::Entry;
use super::find::{Found, find};
use super::read::read;
use crate::downloads;
use crate::state::AppState;
use crate::stores::Tenant;

/// Writes that are read at once.
const PIECE: usize = 1_000;

pub async fn export(
    State(state): State<AppState>,
    principal: Principal,
    Query(pairs): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let asked = Asked::read(pairs, &principal, &state.signer)?;
    state.freshness.audited_after(&state.signer, &headers).await?;
    let turn = downloads::turn(&state.exports).await?;
    let tenant = state.clickhouse.audit_of(&principal).await?;
    let (found, last) = find(&state, &principal, &tenant, &asked).await?;
    let next_cursor = last.map(|place| place.cursor().write(&state.signer, &asked.purpose));
    let file = File {
        state,
        tenant,
        format: asked.format,
        next_cursor: next_cursor.clone(),
        found: found.into_iter(),
        at: At::Begin,
    };
    let mut pieces = Box::pin(stream::try_unfold(file, File::next));
    // What fails before the first piece is no file yet.
    let first = pieces.next().await.transpose()?.unwrap_or_default();
    let pieces = stream::iter([Ok(first)]).chain(pieces);
    let file = downloads::File {
        name: "audit",
        extension: asked.format.extension(),
        content_type: asked.format.content_type(),
        position: None,
    };
    let mut response = downloads::answer(file, pieces, turn)?;
    if let Some(cursor) = next_cursor {
        let cursor = HeaderValue::from_str(&cursor).map_err(Problem::internal)?;
        response.headers_mut().insert("x-retrace-next-cursor", cursor);
    }
    Ok(response)
}

struct File {
    state: AppState,
    tenant: Tenant,
    format: Format,
    next_cursor: Option<String>,
    found: IntoIter<Found>,
    at: At,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Begin,
    /// Before the first write.
    First,
    Middle,
    End,
}

impl File {
    async fn next(mut self) -> Result<Option<(Bytes, File)>, Problem> {
        if self.at == At::End {
            return Ok(None);
        }
        let mut piece = Vec::new();
        if self.at == At::Begin {
            self.begin(&mut piece);
            self.at = At::First;
        }
        let found: Vec<Found> = self.found.by_ref().take(PIECE).collect();
        for entry in read(&self.state, &self.tenant, &found).await? {
            self.write(&entry, &mut piece)?;
            self.at = At::Middle;
        }
        if self.found.as_slice().is_empty() {
            self.end(&mut piece)?;
        }
        Ok(Some((piece.into(), self)))
    }

    fn begin(&self, to: &mut Vec<u8>) {
        match self.format {
            Format::Json => to.extend_from_slice(b"{\"audit_logs\":["),
            Format::Csv => Entry::write_header(to),
        }
    }

    fn write(&self, entry: &Entry, to: &mut Vec<u8>) -> Result<(), Problem> {
        match self.format {
            Format::Json => {
                let before: &[u8] = if self.at == At::First { b"\n" } else { b",\n" };
                to.extend_from_slice(before);
                entry.write_json(to).map_err(Problem::internal)?;
            }
            Format::Csv => entry.write_record(to),
        }
        Ok(())
    }

    fn end(&mut self, to: &mut Vec<u8>) -> Result<(), Problem> {
        self.at = At::End;
        if self.format == Format::Json {
            to.extend_from_slice(b"\n],\"next_cursor\":");
            serde_json::to_writer(&mut *to, &self.next_cursor).map_err(Problem::internal)?;
            to.extend_from_slice(b"}\n");
        }
        Ok(())
    }
}
