//! The answer: a file with its name, its type and its position.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use runtime::Problem;
use runtime::auth::Principal;
use runtime::position::Topic;
use time::OffsetDateTime;
use time::macros::format_description;
use tokio::sync::Semaphore;

use super::asked::Asked;
use super::file::{self, Pieces};
use super::lines::{Line, SpanLine, TraceLine};
use super::sending;
use crate::state::AppState;
use crate::stores::{AsOf, Tenant, down, is_overtaken};

/// Exports that run on a node; each holds a connection of ClickHouse for as long as its reader takes.
const AT_ONCE: usize = 4;
/// How long one waits for its turn, and for a position that is not overtaken at once.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a reader may take nothing.
const STALLED: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(50);

type Pairs = Query<Vec<(String, String)>>;

pub fn turns() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(AT_ONCE))
}

pub async fn traces(
    State(state): State<AppState>,
    principal: Principal,
    Query(pairs): Pairs,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    export::<TraceLine>(state, principal, pairs, headers).await
}

pub async fn spans(
    State(state): State<AppState>,
    principal: Principal,
    Query(pairs): Pairs,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    export::<SpanLine>(state, principal, pairs, headers).await
}

async fn export<L: Line>(
    state: AppState,
    principal: Principal,
    pairs: Vec<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let asked = Asked::read(pairs)?;
    state.freshness.after(&state.signer, &headers, Topic::Telemetry).await?;
    let waited = tokio::time::timeout(PATIENCE, Arc::clone(&state.exports).acquire_owned()).await;
    let turn = waited
        .map_err(|_| Problem::unavailable(format!("{AT_ONCE} exports are running already"), 10))?
        .map_err(Problem::internal)?;
    let tenant = state.clickhouse.of(&principal).await?;
    let (at, pieces) = begin::<L>(&tenant, &asked).await?;
    let mut response = Body::from_stream(sending::body(pieces, turn, STALLED)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(asked.format.content_type()));
    for (name, value) in [
        (header::CONTENT_DISPOSITION.as_str(), format!("attachment; filename=\"{}\"", name::<L>(&asked))),
        ("x-retrace-position", state.signer.position(&at.position())),
    ] {
        headers.insert(name, HeaderValue::from_str(&value).map_err(Problem::internal)?);
    }
    Ok(response)
}

/// At the newest position; at the next one where merges were faster.
async fn begin<L: Line>(tenant: &Tenant, asked: &Asked) -> Result<(AsOf, Pieces), Problem> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let at = tenant.as_of_now().await?;
        match file::begin::<L>(&at, asked).await {
            Ok(pieces) => return Ok((at, pieces)),
            Err(cause) if is_overtaken(&cause) && Instant::now() < deadline => tokio::time::sleep(PAUSE).await,
            Err(cause) if is_overtaken(&cause) => {
                return Err(Problem::unavailable("No position could be held while it was read", 1));
            }
            Err(cause) => return Err(down(cause)),
        }
    }
}

fn name<L: Line>(asked: &Asked) -> String {
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    let now = OffsetDateTime::now_utc().format(format).unwrap_or_default();
    format!("retrace-{}-{now}.{}", L::EXPORTED.name, asked.format.extension())
}
