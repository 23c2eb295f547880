//! `/healthz`, `/readyz` and `/metrics`.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;

use crate::Problem;
use crate::metrics::METRICS;

type Answer = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// One dependency: its name, and a question that answers `Err` with what is wrong.
pub struct Check {
    pub name: &'static str,
    pub ask: Box<dyn Fn() -> Answer + Send + Sync>,
}

pub fn check<F>(name: &'static str, ask: impl Fn() -> F + Send + Sync + 'static) -> Check
where
    F: Future<Output = Result<(), String>> + Send + 'static,
{
    Check { name, ask: Box::new(move || Box::pin(ask())) }
}

pub fn router(checks: Vec<Check>) -> Router {
    Router::new()
        .route("/healthz", get(|| async { axum::Json(json!({ "status": "ok" })) }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(Arc::new(checks))
}

async fn ready(State(checks): State<Arc<Vec<Check>>>) -> Response {
    let mut states = serde_json::Map::new();
    let mut ready = true;
    let answers = checks.iter().map(|check| async {
        let answer = tokio::time::timeout(std::time::Duration::from_secs(3), (check.ask)()).await;
        (check.name, answer.unwrap_or_else(|_| Err("no answer within 3 s".to_owned())))
    });
    for (name, answer) in futures::future::join_all(answers).await {
        ready &= answer.is_ok();
        states.insert(name.to_owned(), answer.map_or_else(|cause| json!(cause), |()| json!("ok")));
    }
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, axum::Json(json!({ "ready": ready, "checks": states }))).into_response()
}

async fn metrics() -> Result<String, Problem> {
    METRICS.render().map_err(Problem::internal)
}
