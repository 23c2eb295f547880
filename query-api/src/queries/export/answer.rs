//! The answer: a file with its name, its type and its position.

use std::time::{Duration, Instant};

use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use runtime::Problem;
use runtime::auth::Principal;
use runtime::position::Topic;

use super::asked::Asked;
use super::file::{self, Pieces};
use super::lines::{Line, SpanLine, TraceLine};
use crate::downloads::{self, PATIENCE};
use crate::state::AppState;
use crate::stores::{AsOf, Tenant, down, is_overtaken};

const PAUSE: Duration = Duration::from_millis(50);

type Pairs = Query<Vec<(String, String)>>;

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
    let turn = downloads::turn(&state.exports).await?;
    let tenant = state.clickhouse.of(&principal).await?;
    let (at, pieces) = begin::<L>(&tenant, &asked).await?;
    let file = downloads::File {
        name: L::EXPORTED.name,
        extension: asked.format.extension(),
        content_type: asked.format.content_type(),
        position: Some(state.signer.position(&at.position())),
    };
    downloads::answer(file, pieces, turn)
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
