//! `GET /comments` of a trace, the oldest first, and `GET /comments/{id}`.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::parameters::COMMENTS_QUERY;
use runtime::position::Topic;
use schemas::ids;
use sqlx::{Postgres, QueryBuilder};

use super::super::traces::visible;
use super::documents::{CommentList, CommentOut, CommentRow};
use super::{id_of, path_id};
use crate::pages::{Page, Place};
use crate::params::Params;
use crate::state::AppState;

const WHAT: &str = "Comment";

pub async fn list(
    State(state): State<AppState>,
    principal: Principal,
    Query(pairs): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Json<CommentList>, Problem> {
    let mut params = Params::new(pairs, COMMENTS_QUERY);
    let trace_id = id_of(&mut params, "trace_id", ids::trace_id).unwrap_or_default();
    let span_id = id_of(&mut params, "span_id", ids::span_id);
    let page = Page::read(&mut params, &state.signer, format!("comments\0{trace_id}\0{span_id:?}"));
    params.finish()?;
    // With a trace goes what was said of it, also as long as the workspace lags.
    visible(&state, &principal, &headers, &trace_id).await?;
    state.freshness.after(&state.signer, &headers, Topic::Workspace).await?;
    let workspace = state.postgres.of(&principal).await?;
    let narrow = |query: &mut QueryBuilder<Postgres>| {
        query.push(" AND trace_id = ").push_bind(trace_id.clone());
        if let Some(span_id) = &span_id {
            query.push(" AND span_id = ").push_bind(span_id.clone());
        }
    };
    let mut query = workspace.select("*", "@comments");
    narrow(&mut query);
    page.end_oldest_first(&mut query, "created_at", "comment_id");
    let mut rows: Vec<CommentRow> = workspace.all(query).await?;
    let place = |row: &CommentRow| Place { created_at: row.created_at, id: row.comment_id };
    let next_cursor = page.next_cursor(&state.signer, &mut rows, place);
    let mut counted = workspace.counted("@comments");
    narrow(&mut counted);
    let (total, total_is) = page.total(&workspace, counted).await?;
    let comments = rows.into_iter().map(Into::into).collect();
    Ok(Json(CommentList { comments, total, total_is, limit: page.limit, offset: page.offset, next_cursor }))
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
        let mut query = workspace.select("*", "@comments");
        query.push(" AND comment_id = ").push_bind(id);
        workspace.one::<CommentRow>(query)
    };
    let row = state.resource(&headers, &principal, WHAT, find).await?;
    let tag = format!("\"{}\"", row.version);
    Ok(([(header::ETAG, tag)], Json(CommentOut::from(row))).into_response())
}
