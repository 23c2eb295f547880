//! From an HTTP request to a statement, and from its answer to an HTTP response.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::{StreamExt, stream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::engine::Shared;
use super::error::HttpError;
use super::execute::{self, Piece, Reply};
use super::request::Statement;
use super::{access, multipart, sql};

/// A statement's text, inline rows included.
const MAX_STATEMENT: usize = 64 << 20;
/// As much of an insert is awaited before it takes a connection, so that slow senders do not hold one.
const HEAD: usize = 1 << 20;
/// As a server's `http_receive_timeout`.
const BODY_PATIENCE: Duration = Duration::from_secs(30);
/// Marks an error in the middle of an answer (ClickHouse 25.11 and later).
const EXCEPTION_TAG: &str = "retraceembedded0";

pub(super) async fn handle(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let result = if access::is_allowed(request.headers(), shared.password.as_deref()) {
        dispatch(shared, request).await
    } else {
        Err(HttpError::unauthenticated())
    };
    result.unwrap_or_else(IntoResponse::into_response)
}

async fn dispatch(shared: Arc<Shared>, request: Request) -> Result<Response, HttpError> {
    let (parts, body) = request.into_parts();
    let mut statement = Statement::from_url(&parts.uri)?;
    if parts.method == Method::GET {
        if statement.sql.is_empty() {
            return Ok("Ok.\n".into_response());
        }
        statement.settings.push(("readonly".into(), "2".into()));
    } else if let Some(boundary) = form_boundary(&parts.headers) {
        let body = text(body).await?;
        for (name, value) in multipart::fields(&body, boundary)? {
            statement.take(name, value)?;
        }
    } else if sql::kind(&statement.sql) == sql::Kind::Insert {
        let mut body = body.into_data_stream();
        let (head, more) = head(&mut body).await?;
        if !head.is_empty() {
            return insert(shared, statement, head, more.then_some(body)).await;
        }
    } else {
        statement.append(&text(body).await?);
    }
    if statement.sql.trim().is_empty() {
        return Err(HttpError::bad_request("The query is empty"));
    }
    run(shared, statement).await
}

fn form_boundary(headers: &HeaderMap) -> Option<&str> {
    multipart::boundary(headers.get(header::CONTENT_TYPE)?.to_str().ok()?)
}

async fn text(body: Body) -> Result<String, HttpError> {
    let body = timeout(BODY_PATIENCE, to_bytes(body, MAX_STATEMENT)).await;
    let body =
        body.ok().and_then(Result::ok).ok_or_else(|| HttpError::bad_request("The body is too large or broke off"))?;
    String::from_utf8(body.into()).map_err(|_| HttpError::bad_request("The query is not UTF-8"))
}

/// The first pieces of a body, and whether there may be more.
async fn head(body: &mut BodyDataStream) -> Result<(Vec<Bytes>, bool), HttpError> {
    let mut pieces = Vec::new();
    let mut size = 0;
    while size < HEAD {
        match next_piece(body).await {
            Ok(Some(piece)) if piece.is_empty() => {}
            Ok(Some(piece)) => {
                size += piece.len();
                pieces.push(piece);
            }
            Ok(None) => return Ok((pieces, false)),
            Err(()) => return Err(HttpError::bad_request("The body broke off")),
        }
    }
    Ok((pieces, true))
}

async fn next_piece(body: &mut BodyDataStream) -> Result<Option<Bytes>, ()> {
    let piece = timeout(BODY_PATIENCE, body.next()).await.map_err(drop)?;
    piece.transpose().map_err(drop)
}

async fn insert(
    shared: Arc<Shared>,
    statement: Statement,
    head: Vec<Bytes>,
    body: Option<BodyDataStream>,
) -> Result<Response, HttpError> {
    let turn = shared.turn().await?;
    let (sender, pieces) = mpsc::channel(8);
    let running = spawn_blocking(move || {
        let result = execute::insert(&shared, &statement, pieces);
        drop(turn);
        result
    });
    feed(sender, head, body).await;
    let rows = running.await.map_err(|_| HttpError::internal("The insert failed unexpectedly"))??;
    Ok(summarised(Body::empty(), (0, 0, rows)).into_response())
}

/// Sends all pieces and then `End`; leaves `End` out if the body breaks off.
async fn feed(sender: mpsc::Sender<Piece>, head: Vec<Bytes>, body: Option<BodyDataStream>) {
    for piece in head {
        if sender.send(Piece::Rows(piece)).await.is_err() {
            return;
        }
    }
    if let Some(mut body) = body {
        loop {
            match next_piece(&mut body).await {
                Ok(Some(piece)) => {
                    if sender.send(Piece::Rows(piece)).await.is_err() {
                        return;
                    }
                }
                Ok(None) => break,
                Err(()) => return,
            }
        }
    }
    drop(sender.send(Piece::End).await);
}

async fn run(shared: Arc<Shared>, statement: Statement) -> Result<Response, HttpError> {
    let turn = shared.turn().await?;
    let (sender, reply) = oneshot::channel();
    spawn_blocking(move || {
        execute::run(&shared, &statement, sender);
        drop(turn);
    });
    match reply.await.map_err(|_| HttpError::internal("The statement failed unexpectedly"))?? {
        Reply::Whole { body, rows } => Ok(summarised(Body::from(body), rows)),
        Reply::Stream { head, rest } => Ok(streamed(head, rest)),
    }
}

fn summarised(body: Body, (read_rows, read_bytes, written_rows): (u64, u64, u64)) -> Response {
    let summary = format!(
        r#"{{"read_rows":"{read_rows}","read_bytes":"{read_bytes}","written_rows":"{written_rows}","written_bytes":"0","total_rows_to_read":"0","result_rows":"{read_rows}","result_bytes":"0"}}"#
    );
    let mut response = body.into_response();
    if let Ok(summary) = HeaderValue::from_str(&summary) {
        response.headers_mut().insert(HeaderName::from_static("x-clickhouse-summary"), summary);
    }
    response
}

fn streamed(head: Vec<Bytes>, rest: mpsc::Receiver<Result<Bytes, HttpError>>) -> Response {
    let rest = stream::unfold(rest, |mut rest| async {
        let block = rest.recv().await?.unwrap_or_else(|error| exception_trailer(&error));
        Some((block, rest))
    });
    let blocks = stream::iter(head).chain(rest).map(Ok::<_, std::convert::Infallible>);
    let mut response = Body::from_stream(blocks).into_response();
    let tag = HeaderValue::from_static(EXCEPTION_TAG);
    response.headers_mut().insert(HeaderName::from_static("x-clickhouse-exception-tag"), tag);
    response
}

/// How ClickHouse reports an error after the first rows were sent.
fn exception_trailer(error: &HttpError) -> Bytes {
    let text = format!("{}\n", error.text());
    format!("\r\n__exception__\r\n{EXCEPTION_TAG}\r\n{text}{} {EXCEPTION_TAG}\r\n__exception__\r\n", text.len()).into()
}
