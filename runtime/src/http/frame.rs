//! What surrounds all routes: request ids, logs and metrics, paths made regular, CORS, compression, panics, 404 and 405.

use std::net::SocketAddr;
use std::time::Instant;

use axum::extract::{ConnectInfo, FromRequestParts, MatchedPath, Request};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt;
use axum::{Router, ServiceExt};
use schemas::audit::client::Client;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::Layer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::cors::{AllowOrigin, Any, CorsLayer};
use tracing::Instrument;

use super::routes;
use crate::metrics::METRICS;
use crate::{Problem, Settings};

/// By what names a request is found again: in logs, in the caller's distributed trace and in the audit.
#[derive(Clone, Debug)]
pub struct RequestNames {
    pub id: String,
    /// W3C Trace Context, as the caller sent it.
    pub traceparent: Option<String>,
    /// Once the gate has let it pass.
    pub client: Option<Client>,
}

impl<S: Send + Sync> FromRequestParts<S> for RequestNames {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<RequestNames, Problem> {
        parts.extensions.get::<RequestNames>().cloned().ok_or_else(|| Problem::internal("a route without its frame"))
    }
}

/// Puts the frame around merged routers.
pub fn compose(settings: &Settings, router: Router) -> Router {
    router
        .fallback(unknown_route)
        .method_not_allowed_fallback(unknown_route)
        .layer(CompressionLayer::new())
        .layer(cors(settings))
        .layer(CatchPanicLayer::custom(|_: Box<dyn std::any::Any + Send>| {
            Problem::internal("a handler panicked").into_response()
        }))
        .layer(from_fn(observe))
}

/// Serves until stopped; connections in progress finish.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) -> anyhow::Result<()> {
    let service = tower::util::MapRequestLayer::new(regular_path).layer(router);
    let make = ServiceExt::<Request>::into_make_service_with_connect_info::<SocketAddr>(service);
    // Small answers that follow each other, as acks do, do not wait for the other side's system to confirm the last one.
    let listener = listener.tap_io(|stream| {
        if let Err(cause) = stream.set_nodelay(true) {
            tracing::debug!(%cause, "a connection may be slow");
        }
    });
    axum::serve(listener, make).with_graceful_shutdown(stop.cancelled_owned()).await?;
    Ok(())
}

/// `//api/v1/traces` is what a client with a trailing slash in its base URL asks for.
fn regular_path<B>(mut request: axum::http::Request<B>) -> axum::http::Request<B> {
    let path = request.uri().path();
    if path.contains("//") {
        let mut regular = String::with_capacity(path.len());
        for part in path.split('/').filter(|part| !part.is_empty()) {
            regular.push('/');
            regular.push_str(part);
        }
        if regular.is_empty() {
            regular.push('/');
        }
        if let Some(query) = request.uri().query() {
            regular.push('?');
            regular.push_str(query);
        }
        if let Ok(uri) = regular.parse::<Uri>() {
            *request.uri_mut() = uri;
        }
    }
    request
}

async fn unknown_route(method: Method, uri: Uri) -> Problem {
    let methods = routes::methods_of(uri.path());
    if methods.is_empty() {
        return Problem::new(StatusCode::NOT_FOUND, format!("There is no route {method} {}", uri.path()));
    }
    let mut problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, format!("{method} is not allowed here"));
    problem.allow = Some(methods.join(", "));
    problem
}

fn cors(settings: &Settings) -> CorsLayer {
    let exposed = [
        "x-request-id",
        "x-retrace-position",
        "retry-after",
        "ratelimit-limit",
        "ratelimit-remaining",
        "ratelimit-reset",
        "etag",
        "content-disposition",
        "x-retrace-next-cursor",
    ];
    let layer = CorsLayer::new()
        .allow_methods([Method::GET, Method::POST, Method::PATCH, Method::DELETE, Method::PUT])
        .allow_headers(Any)
        .expose_headers(exposed.map(HeaderName::from_static))
        .max_age(std::time::Duration::from_secs(600));
    if settings.cors_origins.trim() == "*" {
        return layer.allow_origin(Any);
    }
    let origins: Vec<HeaderValue> =
        Settings::list(&settings.cors_origins).filter_map(|origin| origin.parse().ok()).collect();
    layer.allow_origin(AllowOrigin::list(origins))
}

fn request_id(parts: &axum::http::HeaderMap) -> String {
    let sane = |text: &&str| {
        !text.is_empty()
            && text.len() <= 128
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:/+=".contains(&b))
    };
    match parts.get("x-request-id").and_then(|value| value.to_str().ok()).filter(sane) {
        Some(id) => id.to_owned(),
        None => uuid::Uuid::now_v7().to_string(),
    }
}

/// Version 00 of the W3C's format; what is not of it is not carried on.
fn traceparent(headers: &axum::http::HeaderMap) -> Option<String> {
    let text = headers.get("traceparent")?.to_str().ok()?;
    let parts: Vec<&str> = text.split('-').collect();
    let is_hex = |part: &str, length: usize| {
        part.len() == length && part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let [version, trace, span, flags] = parts[..] else { return None };
    let is_set = |part: &str| part.bytes().any(|b| b != b'0');
    let sound = version == "00" && is_hex(trace, 32) && is_hex(span, 16) && is_hex(flags, 2);
    (sound && is_set(trace) && is_set(span)).then(|| text.to_owned())
}

async fn observe(mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = request_id(request.headers());
    let traceparent = traceparent(request.headers());
    request.extensions_mut().insert(RequestNames { id: id.clone(), traceparent, client: None });
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("unknown", MatchedPath::as_str).to_owned();
    let peer =
        request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_string()).unwrap_or_default();
    let span = tracing::info_span!("request", request_id = %id, %method, route, peer);
    let mut response = next.run(request).instrument(span.clone()).await;
    let status = response.status();
    let seconds = started.elapsed().as_secs_f64();
    METRICS.http_seconds.with_label_values(&[method.as_str(), route.as_str(), status.as_str()]).observe(seconds);
    span.in_scope(|| {
        if status.is_server_error() {
            tracing::warn!(status = status.as_u16(), ms = seconds * 1000.0, "request failed");
        } else {
            tracing::debug!(status = status.as_u16(), ms = seconds * 1000.0, "request");
        }
    });
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-request-id", value);
    }
    // A 404 or 413 of the framework itself has no body of ours: neither an error nor a page.
    let is_ours = |kind: &HeaderValue| kind == "application/json" || kind.as_bytes().starts_with(b"text/html");
    if status.is_client_error() && !response.headers().get(header::CONTENT_TYPE).is_some_and(is_ours) {
        let fixed = Problem::new(status, status.canonical_reason().unwrap_or("Bad request")).into_response();
        let (parts, _) = response.into_parts();
        let mut replaced = fixed;
        for (name, value) in &parts.headers {
            if name != header::CONTENT_LENGTH && name != header::CONTENT_TYPE {
                replaced.headers_mut().insert(name.clone(), value.clone());
            }
        }
        return replaced;
    }
    response
}
