//! Files that are sent while they are read: turns, the body, the answer's headers, and what CSV has in common.

pub mod csv;
mod sending;

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures::Stream;
use runtime::Problem;
use time::OffsetDateTime;
use time::macros::format_description;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Downloads that run on a node; each holds something of a store for as long as its reader takes.
const AT_ONCE: usize = 4;
/// How long one waits for its turn.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// How long a reader may take nothing.
const STALLED: Duration = Duration::from_secs(60);

pub fn turns() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(AT_ONCE))
}

pub async fn turn(turns: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Problem> {
    let waited = tokio::time::timeout(PATIENCE, Arc::clone(turns).acquire_owned()).await;
    waited
        .map_err(|_| Problem::unavailable(format!("{AT_ONCE} exports are running already"), 10))?
        .map_err(Problem::internal)
}

/// What a file is.
pub struct File<'a> {
    /// Of what is in it.
    pub name: &'a str,
    pub extension: &'static str,
    pub content_type: &'static str,
    /// Up to where it has what was written.
    pub position: Option<String>,
}

/// The answer; its body ends well only after the last piece.
pub fn answer<E: std::fmt::Display + Send + 'static>(
    file: File<'_>,
    pieces: impl Stream<Item = Result<Bytes, E>> + Send + Unpin + 'static,
    turn: OwnedSemaphorePermit,
) -> Result<Response, Problem> {
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    let now = OffsetDateTime::now_utc().format(format).unwrap_or_default();
    let disposition = format!("attachment; filename=\"retrace-{}-{now}.{}\"", file.name, file.extension);
    let mut response = Body::from_stream(sending::body(pieces, turn, STALLED)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.content_type));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_str(&disposition).map_err(Problem::internal)?);
    if let Some(position) = file.position {
        headers.insert("x-retrace-position", HeaderValue::from_str(&position).map_err(Problem::internal)?);
    }
    Ok(response)
}
