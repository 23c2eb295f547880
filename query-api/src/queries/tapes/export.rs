//! `GET /tapes/{slug}/export`: the tape as one file, which an import reads back.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use futures::stream;
use runtime::Problem;
use schemas::tapes::{self, About};

use super::find::find;
use super::steps::lines;
use crate::downloads::{self, File};
use crate::state::AppState;

/// Lines of one look at the store.
const LINES: i64 = 500;

pub async fn export(
    State(state): State<AppState>,
    Path(slug): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (tape, workspace) = find(&state, &headers, &slug).await?;
    let turn = downloads::turn(&state.exports).await?;
    // Its first line has the hash of the rest: the whole is read first, and a tape is bounded.
    let mut text = String::with_capacity(usize::try_from(tape.bytes).unwrap_or_default());
    let mut from = 0;
    while from <= tape.steps {
        for line in lines(&workspace, tape.tape_id, from, LINES).await? {
            text.push_str(&line);
            text.push('\n');
        }
        from += LINES;
    }
    // One that is deleted meanwhile has no lines any more.
    if text.len() as i64 != tape.bytes {
        return Err(Problem::not_found("Tape"));
    }
    let about = About { title: tape.title, description: tape.description, tags: tape.tags };
    let file = tapes::write(&about, &text).map_err(Problem::internal)?;
    let name = format!("tape-{}", tape.slug);
    let file_of = File { name: &name, extension: "tape", content_type: "application/x-ndjson", position: None };
    downloads::answer(file_of, stream::iter([Ok::<_, Problem>(Bytes::from(file))]), turn)
}
