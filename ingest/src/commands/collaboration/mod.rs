//! Comments, assignments and notifications: what members say to each other about traces.

pub mod assignments;
pub mod comments;
pub mod documents;
mod mentions;
pub mod notifications;
mod parse;

use axum::http::HeaderMap;
use runtime::Problem;
use runtime::auth::{Principal, Role};
use runtime::http::RequestNames;
use schemas::ids;

use crate::state::AppState;

/// Whether the role allows to take away what others have written.
fn moderates(principal: &Principal) -> bool {
    matches!(Role::of(&principal.role), Role::Owner | Role::Admin)
}

/// No other text can name a resource.
fn path_id(id: &str, what: &str) -> Result<String, Problem> {
    ids::resource_id(id).ok_or_else(|| Problem::not_found(what))
}

/// The trace, with the span if there is one, must be there for the caller.
async fn must_exist(
    state: &AppState,
    headers: &HeaderMap,
    names: &RequestNames,
    (trace_id, span_id): (&str, Option<&str>),
) -> Result<(), Problem> {
    match span_id {
        Some(span_id) => state.ask.span_exists(headers, &names.id, trace_id, span_id).await,
        None => state.ask.trace_exists(headers, &names.id, trace_id).await,
    }
}
