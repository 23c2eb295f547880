//! One tape, by its slug.

use axum::http::HeaderMap;
use runtime::Problem;
use runtime::position::Topic;
use schemas::tapes;
use uuid::Uuid;

use super::documents::TapeRow;
use crate::state::AppState;
use crate::stores::Workspace;

/// With the handle of what belongs to it. Its words do not count, so that a slug stays when they are cut or written otherwise.
pub async fn find(state: &AppState, headers: &HeaderMap, slug: &str) -> Result<(TapeRow, Workspace), Problem> {
    let absent = || Problem::not_found("Tape");
    let id = tapes::id(slug).and_then(|id| Uuid::try_parse(&id).ok()).ok_or_else(absent)?;
    // Whoever has just published it has been told so by the projection that this reads.
    state.freshness.after(&state.signer, headers, Topic::Workspace).await?;
    state.postgres.tapes().await?.named(id).await?.ok_or_else(absent)
}
