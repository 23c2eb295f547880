//! `GET /traces/diff`: what differs between two traces ([`pair`]), or between those of two names ([`groups`]).

pub mod documents;
mod groups;
mod pair;
mod read;
mod values;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::parameters::{self, DIFF_GROUPS, DIFF_QUERY, DIFF_STEPS, Parameter};
use runtime::position::Topic;
use schemas::ids;

pub use pair::{Asked, between};

use super::get::visible;
use crate::params::Params;
use crate::state::AppState;
use documents::{DiffAnswer, TraceDiff};

pub async fn diff(
    State(state): State<AppState>,
    principal: Principal,
    Query(pairs): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Json<DiffAnswer>, Problem> {
    let mut params = Params::new(pairs, DIFF_QUERY);
    let (a, b) = (trace_id(&mut params, "a"), trace_id(&mut params, "b"));
    match (a, b, params.text("a_name"), params.text("b_name")) {
        (Some(a), Some(b), None, None) => {
            refuse(&mut params, DIFF_GROUPS, "is of groups");
            let asked = Asked::read(&mut params, &state.signer, &format!("diff\0{a}\0{b}"));
            params.finish()?;
            let one = visible(&state, &principal, &headers, &a).await?;
            let other = visible(&state, &principal, &headers, &b).await?;
            let (a, b) = (one.trace_id.clone(), other.trace_id.clone());
            let tenant = state.clickhouse.of(&principal).await?;
            let diff = between(&state, &tenant, one, other, &asked).await?;
            Ok(Json(DiffAnswer::Traces(TraceDiff { a, b, diff })))
        }
        (None, None, Some(a), Some(b)) => {
            refuse(&mut params, DIFF_STEPS, "is of two traces");
            let asked = groups::Asked::read(&mut params, a, b);
            params.finish()?;
            state.freshness.after(&state.signer, &headers, Topic::Telemetry).await?;
            let tenant = state.clickhouse.of(&principal).await?;
            Ok(Json(DiffAnswer::Groups(groups::between(&tenant, asked).await?)))
        }
        _ => {
            // Whichever way was meant, all faults are told.
            Asked::read(&mut params, &state.signer, "");
            groups::Asked::read(&mut params, String::new(), String::new());
            params.fault(
                "either a and b are needed, two traces, or a_name and b_name, the names of two groups".to_owned(),
            );
            params.finish()?;
            Err(Problem::internal("a fault that was none"))
        }
    }
}

fn trace_id(params: &mut Params, name: &str) -> Option<String> {
    let text = params.text(name)?;
    match ids::trace_id(&text) {
        Ok(id) => Some(id),
        Err(fault) => {
            params.fault(format!("{name} {fault}"));
            Some(text)
        }
    }
}

/// What the other way of asking has.
fn refuse(params: &mut Params, parameters: parameters::Query, is: &str) {
    for Parameter { name, .. } in parameters.iter().copied().flatten() {
        if params.text(name).is_some() {
            params.fault(format!("{name} {is}"));
        }
    }
}
