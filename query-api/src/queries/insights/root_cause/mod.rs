//! `POST /insights/root-cause`: the failed trace and successful ones of its name ([`read`]), and what the local engine
//! makes of them.

pub mod documents;
mod read;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use insights::root_cause::analyse;
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::RequestBody;

use documents::{RootCauseIn, RootCauseOut};

use super::super::traces::visible;
use crate::state::AppState;

pub async fn root_cause(
    State(state): State<AppState>,
    principal: Principal,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<Json<RootCauseOut>, Problem> {
    let asked: RootCauseIn =
        serde_json::from_slice(&body.bytes).map_err(|fault| Problem::bad_request(format!("The body: {fault}")))?;
    let row = visible(&state, &principal, &headers, &asked.trace_id).await?;
    if row.status != "failed" {
        return Err(Problem::bad_request(format!("traceId: the trace has not failed, it is {}", row.status)));
    }
    let tenant = state.clickhouse.of(&principal).await?;
    let (trace, runs) = tokio::try_join!(read::trace(&tenant, &row), read::runs(&tenant, &row))?;
    let analysed = tokio::task::spawn_blocking(move || analyse(&trace, &runs)).await.map_err(Problem::internal)?;
    Ok(Json(RootCauseOut::new(row.trace_id, row.name, analysed)))
}
