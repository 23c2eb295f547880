//! `GET /traces/{id}/root-cause`: the failed trace and successful ones of its name ([`read`]), what the local engine makes
//! of them, and what a model said, if one was asked. Asking one is the command side's, since its answer is an event.

pub mod documents;
mod read;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use insights::root_cause::{analyse, excerpt};
use runtime::Problem;
use runtime::auth::Principal;

use documents::{ExcerptOut, KnownRootCause, ModelVerdict, RootCauseOut};

use super::super::traces::visible;
use crate::state::AppState;

pub async fn known(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<KnownRootCause>, Problem> {
    let row = visible(&state, &principal, &headers, &id).await?;
    if row.status != "failed" {
        return Err(Problem::bad_request(format!("the trace has not failed, it is {}", row.status)));
    }
    let tenant = state.clickhouse.of(&principal).await?;
    let (trace, runs, verdict) =
        tokio::try_join!(read::trace(&tenant, &row), read::runs(&tenant, &row), read::verdict(&tenant, &row.trace_id))?;
    let analysed = tokio::task::spawn_blocking(move || {
        let analysis = analyse(&trace, &runs);
        let excerpt = excerpt(&trace, &analysis);
        (analysis, excerpt)
    });
    let (analysis, excerpt) = analysed.await.map_err(Problem::internal)?;
    Ok(Json(KnownRootCause {
        local: RootCauseOut::new(row.trace_id, row.name, analysis),
        verdict: verdict.map(ModelVerdict::from),
        excerpt: ExcerptOut::from(excerpt),
    }))
}
