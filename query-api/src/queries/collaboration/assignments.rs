//! `GET /assignments`, the newest first, and `GET /assignments/{id}`.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::parameters::ASSIGNMENTS_QUERY;
use runtime::position::Topic;
use schemas::ids;
use sqlx::{Postgres, QueryBuilder};

use super::documents::{AssignmentList, AssignmentOut, AssignmentRow};
use super::{id_of, path_id};
use crate::pages::{Page, Place};
use crate::params::Params;
use crate::state::AppState;

const WHAT: &str = "Assignment";
const ANYONE: &str = "*";

#[derive(Debug)]
struct Filters {
    status: Option<String>,
    trace_id: Option<String>,
    /// None: anyone.
    assignee_id: Option<String>,
}

impl Filters {
    fn read(params: &mut Params, user: &str) -> Filters {
        Filters {
            status: params.one_of("status"),
            trace_id: id_of(params, "trace_id", ids::trace_id),
            assignee_id: Some(params.text("assignee_id").unwrap_or_else(|| user.to_owned())).filter(|id| id != ANYONE),
        }
    }

    fn narrow(&self, query: &mut QueryBuilder<Postgres>) {
        let Filters { status, trace_id, assignee_id } = self;
        for (column, value) in [("status", status), ("trace_id", trace_id), ("assignee_id", assignee_id)] {
            if let Some(value) = value {
                query.push(format!(" AND {column} = ")).push_bind(value.clone());
            }
        }
    }
}

pub async fn list(
    State(state): State<AppState>,
    principal: Principal,
    Query(pairs): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Json<AssignmentList>, Problem> {
    let mut params = Params::new(pairs, ASSIGNMENTS_QUERY);
    let filters = Filters::read(&mut params, &principal.user);
    let page = Page::read(&mut params, &state.signer, format!("assignments\0{filters:?}"));
    params.finish()?;
    state.freshness.after(&state.signer, &headers, Topic::Workspace).await?;
    let workspace = state.postgres.of(&principal).await?;
    let mut query = workspace.select("*", "@assignments");
    filters.narrow(&mut query);
    page.end(&mut query, "created_at", "assignment_id");
    let mut rows: Vec<AssignmentRow> = workspace.all(query).await?;
    let place = |row: &AssignmentRow| Place { created_at: row.created_at, id: row.assignment_id };
    let next_cursor = page.next_cursor(&state.signer, &mut rows, place);
    let mut counted = workspace.counted("@assignments");
    filters.narrow(&mut counted);
    let (total, total_is) = page.total(&workspace, counted).await?;
    let assignments = rows.into_iter().map(Into::into).collect();
    Ok(Json(AssignmentList { assignments, total, total_is, limit: page.limit, offset: page.offset, next_cursor }))
}

pub async fn get(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let id = path_id(&id, WHAT)?;
    let workspace = state.postgres.of(&principal).await?;
    let find = || {
        let mut query = workspace.select("*", "@assignments");
        query.push(" AND assignment_id = ").push_bind(id);
        workspace.one::<AssignmentRow>(query)
    };
    let row = state.resource(&headers, &principal, WHAT, find).await?;
    let tag = format!("\"{}\"", row.version);
    Ok(([(header::ETAG, tag)], Json(AssignmentOut::from(row))).into_response())
}
