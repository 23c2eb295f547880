//! A request's body: decoded, and bounded in size, time and in what all requests together hold.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_compression::tokio::bufread::{GzipDecoder, ZlibDecoder, ZstdDecoder};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use bytes::Bytes;
use futures::TryStreamExt;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::io::StreamReader;

use crate::{Problem, Settings};

/// The budget for decoded bodies that a process holds at once, in KiB.
#[derive(Clone)]
pub struct InflightBytes {
    budget: Arc<Semaphore>,
    limit: usize,
    timeout: Duration,
}

impl InflightBytes {
    pub fn new(settings: &Settings) -> InflightBytes {
        InflightBytes {
            budget: Arc::new(Semaphore::new(settings.max_inflight_bytes / 1024)),
            limit: settings.max_body_bytes,
            timeout: Duration::from_secs(settings.request_timeout_seconds),
        }
    }

    /// A share for so many bytes, where it is to be had at once.
    pub fn share(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let kib = u32::try_from(bytes / 1024 + 1).unwrap_or(u32::MAX);
        self.budget.clone().try_acquire_many_owned(kib).ok()
    }
}

/// The decoded body. It holds its share of the budget until it is dropped.
pub struct RequestBody {
    pub bytes: Bytes,
    _share: Option<OwnedSemaphorePermit>,
}

impl<S: Send + Sync> FromRequest<S> for RequestBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<RequestBody, Problem> {
        expect_json(request.headers())?;
        decoded(request).await
    }
}

/// A decoded body that need not be JSON: whoever takes it knows which types it may have.
pub struct FileBody {
    pub bytes: Bytes,
    /// Without its parameters; empty where the request does not say.
    pub media_type: String,
    _share: Option<OwnedSemaphorePermit>,
}

impl<S: Send + Sync> FromRequest<S> for FileBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<FileBody, Problem> {
        let media_type = request.headers().get(header::CONTENT_TYPE).map(media_type).unwrap_or_default();
        let RequestBody { bytes, _share } = decoded(request).await?;
        Ok(FileBody { bytes, media_type, _share })
    }
}

async fn decoded(request: Request) -> Result<RequestBody, Problem> {
    let inflight = request
        .extensions()
        .get::<InflightBytes>()
        .cloned()
        .ok_or_else(|| Problem::internal("a body without its gate"))?;
    let encoding = request
        .headers()
        .get(header::CONTENT_ENCODING)
        .map(|value| value.to_str().unwrap_or("?").trim().to_ascii_lowercase());
    let stream = request.into_body().into_data_stream().map_err(io::Error::other);
    let reader = StreamReader::new(stream);
    let read = async {
        match encoding.as_deref() {
            None | Some("" | "identity") => collect(reader, &inflight).await,
            Some("gzip" | "x-gzip") => collect(multi(GzipDecoder::new(reader)), &inflight).await,
            Some("deflate") => collect(ZlibDecoder::new(reader), &inflight).await,
            Some("zstd") => collect(ZstdDecoder::new(reader), &inflight).await,
            Some(other) => Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                format!("Content-Encoding `{other}` is not one of gzip, zstd, deflate"),
            )),
        }
    };
    tokio::time::timeout(inflight.timeout, read)
        .await
        .map_err(|_| Problem::new(StatusCode::REQUEST_TIMEOUT, "The request body took too long"))?
}

fn multi<R>(mut decoder: GzipDecoder<R>) -> GzipDecoder<R>
where
    R: tokio::io::AsyncBufRead,
{
    decoder.multiple_members(true);
    decoder
}

fn expect_json(headers: &HeaderMap) -> Result<(), Problem> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let essence = media_type(value);
    if essence == "application/json" || essence.ends_with("+json") {
        return Ok(());
    }
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("Content-Type `{essence}` is not application/json")))
}

fn media_type(value: &HeaderValue) -> String {
    value.to_str().unwrap_or("").split(';').next().unwrap_or("").trim().to_ascii_lowercase()
}

async fn collect(reader: impl AsyncRead, inflight: &InflightBytes) -> Result<RequestBody, Problem> {
    tokio::pin!(reader);
    let mut bytes = Vec::new();
    let mut share: Option<OwnedSemaphorePermit> = None;
    let mut held = 0;
    loop {
        let wanted = bytes.len() / 1024 + 64;
        if wanted > held {
            let more = u32::try_from(wanted.max(held * 2).min(inflight.limit / 1024 + 64) - held).unwrap_or(u32::MAX);
            let permit = inflight.budget.clone().try_acquire_many_owned(more).map_err(|_| {
                Problem::unavailable("The server holds as many request bytes as it may at the moment", 1)
            })?;
            match &mut share {
                Some(held) => held.merge(permit),
                None => share = Some(permit),
            }
            held += more as usize;
        }
        let room = (held * 1024 - bytes.len()).min(64 * 1024);
        bytes.reserve(room);
        let read = (&mut reader).take(room as u64).read_buf(&mut bytes).await.map_err(|cause| read_problem(&cause))?;
        if bytes.len() > inflight.limit {
            return Err(Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("The decoded body is larger than {} bytes", inflight.limit),
            ));
        }
        if read == 0 {
            return Ok(RequestBody { bytes: Bytes::from(bytes), _share: share });
        }
    }
}

fn read_problem(cause: &io::Error) -> Problem {
    tracing::debug!(%cause, "a request body could not be read");
    Problem::bad_request("The body cannot be read or decoded by its Content-Encoding")
}
