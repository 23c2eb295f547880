//! `GET /datasets/{id}/export`: all items of one version, in the form that an import reads.

use std::pin::Pin;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use futures::{Stream, StreamExt, stream};
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::parameters::DATASET_EXPORT_QUERY;
use serde::Serialize;
use serde_json::value::RawValue;

use super::find::{DatasetRow, WHAT, find, path_id};
use super::page::{ItemRow, Page};
use crate::downloads::{self, csv};
use crate::params::Params;
use crate::state::AppState;
use crate::stores::Workspace;

/// Rows of one look at the store, if they are not long.
const ROWS: u64 = 500;
const COLUMNS: [&str; 5] = ["id", "input", "expected_output", "metadata", "source"];

type Pieces = Pin<Box<dyn Stream<Item = Result<Bytes, Problem>> + Send>>;

pub async fn export(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
    Query(pairs): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut params = Params::new(pairs, DATASET_EXPORT_QUERY);
    let version = params.whole_if_given("version").and_then(|version| i64::try_from(version).ok());
    let is_csv = params.one_of("format").as_deref() == Some("csv");
    params.finish()?;
    let id = path_id(&id, WHAT)?;
    let workspace = state.postgres.of(&principal).await?;
    let of = state.resource(&headers, &principal, WHAT, || find(&workspace, id, version)).await?;
    let turn = downloads::turn(&state.exports).await?;
    let name = format!("dataset-{id}-v{}", of.version);
    let (extension, content_type) = if is_csv { ("csv", csv::CONTENT_TYPE) } else { ("jsonl", "application/x-ndjson") };
    let pieces = begin(Export { workspace, of, is_csv, after: 0, count: 0 }).await?;
    downloads::answer(downloads::File { name: &name, extension, content_type, position: None }, pieces, turn)
}

/// A version does not change while it is read; only erasures take something out of it.
struct Export {
    workspace: Workspace,
    of: DatasetRow,
    is_csv: bool,
    after: i64,
    /// Items so far.
    count: i64,
}

/// The file from its first piece on, which is awaited: what fails before it is no file yet.
async fn begin(export: Export) -> Result<Pieces, Problem> {
    let mut start = Vec::new();
    if export.is_csv {
        csv::write_header(COLUMNS.into_iter(), &mut start);
    }
    let start = stream::iter((!start.is_empty()).then(|| Ok(Bytes::from(start))));
    let mut items: Pieces = Box::pin(stream::try_unfold(export, Export::next));
    let first = items.next().await.transpose()?;
    Ok(Box::pin(start.chain(stream::iter(first.map(Ok))).chain(items)))
}

impl Export {
    async fn next(mut self) -> Result<Option<(Bytes, Export)>, Problem> {
        let mut piece = Vec::new();
        // A page may hold nothing but what is erased.
        while piece.is_empty() {
            let page = Page::read(&self.workspace, &self.of, self.after, ROWS).await?;
            let Some(last) = page.items.last() else {
                // A dataset that is deleted meanwhile has no items any more: that is not the file's end.
                return if self.count == self.of.item_count { Ok(None) } else { Err(Problem::not_found(WHAT)) };
            };
            self.after = last.position;
            self.count += page.items.len() as i64;
            for item in page.items.iter().filter(|item| !item.erased) {
                if self.is_csv {
                    write_record(item, &mut piece);
                } else {
                    write_line(item, &mut piece).map_err(Problem::internal)?;
                }
            }
        }
        Ok(Some((piece.into(), self)))
    }
}

fn write_record(item: &ItemRow, to: &mut Vec<u8>) {
    to.extend_from_slice(item.item_id.to_string().as_bytes());
    for part in [&item.input, &item.expected_output, &item.metadata, &item.source] {
        to.push(b',');
        csv::write_json(part.as_deref().unwrap_or("null"), to);
    }
    to.extend_from_slice(b"\r\n");
}

/// JSON that was sent over several lines has line breaks between its tokens, and only there.
fn write_line(item: &ItemRow, to: &mut Vec<u8>) -> serde_json::Result<()> {
    #[derive(Serialize)]
    struct Line<'a> {
        id: String,
        input: Option<&'a RawValue>,
        expected_output: Option<&'a RawValue>,
        metadata: Option<&'a RawValue>,
        source: Option<&'a RawValue>,
    }
    fn json(part: &Option<String>) -> serde_json::Result<Option<&RawValue>> {
        part.as_deref().map(serde_json::from_str).transpose()
    }
    let start = to.len();
    let line = Line {
        id: item.item_id.to_string(),
        input: json(&item.input)?,
        expected_output: json(&item.expected_output)?,
        metadata: json(&item.metadata)?,
        source: json(&item.source)?,
    };
    serde_json::to_writer(&mut *to, &line)?;
    for byte in &mut to[start..] {
        if matches!(byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
    to.push(b'\n');
    Ok(())
}
