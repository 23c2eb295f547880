//! `GET /notifications`: those of the caller, the newest first, and `GET /notifications/{id}`.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::parameters::NOTIFICATIONS_QUERY;
use runtime::position::Topic;
use sqlx::{Postgres, QueryBuilder};

use super::documents::{NotificationList, NotificationOut, NotificationRow};
use super::path_id;
use crate::cursor::Cursor;
use crate::pages;
use crate::params::Params;
use crate::state::AppState;
use crate::stores::Workspace;

const WHAT: &str = "Notification";
/// A notification holds no text: what it is about is looked at when it is shown. 200 characters of it.
const COLUMNS: &str = "told.*, comments.span_id, left(coalesce(comments.body, assignments.note), 200) AS excerpt";
const FROM: &str = "@notifications AS told LEFT JOIN @comments AS comments USING (tenant, comment_id)
                    LEFT JOIN @assignments AS assignments USING (tenant, assignment_id)";

pub async fn list(
    State(state): State<AppState>,
    principal: Principal,
    Query(pairs): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Json<NotificationList>, Problem> {
    let mut params = Params::new(pairs, NOTIFICATIONS_QUERY);
    let limit = params.whole("limit");
    let unread_only = params.one_of("unread").is_some_and(|flag| flag == "true");
    let purpose = format!("notifications\0{}\0{unread_only}", principal.user);
    let cursor = Cursor::asked(&mut params, &state.signer, &purpose);
    params.finish()?;
    state.freshness.after(&state.signer, &headers, Topic::Workspace).await?;
    let workspace = state.postgres.of(&principal).await?;
    let mut query = select(&workspace, &principal);
    if unread_only {
        query.push(" AND told.read_at IS NULL");
    }
    if let Some(before) = cursor.and_then(|cursor| cursor.value.parse::<i64>().ok()) {
        query.push(" AND told.at_offset < ").push_bind(before);
    }
    query.push(format!(" ORDER BY told.at_offset DESC LIMIT {}", limit + 1));
    let mut rows: Vec<NotificationRow> = workspace.all(query).await?;
    let own = || {
        let mut counted = workspace.counted("@notifications");
        counted.push(" AND user_id = ").push_bind(principal.user.clone());
        counted
    };
    let mut still_unread = own();
    still_unread.push(" AND read_at IS NULL");
    let (unread, unread_is) = pages::total(&workspace, still_unread, false).await?;
    let (total, total_is) =
        if unread_only { (unread, unread_is) } else { pages::total(&workspace, own(), false).await? };
    let is_more = rows.len() as u64 > limit;
    rows.truncate(limit as usize);
    let next_cursor = rows.last().filter(|_| is_more).map(|last| {
        let cursor = Cursor { value: last.at_offset.to_string(), id: last.notification_id.to_string() };
        cursor.write(&state.signer, &purpose)
    });
    let notifications = rows.into_iter().map(Into::into).collect();
    Ok(Json(NotificationList { notifications, unread, unread_is, total, total_is, limit, next_cursor }))
}

pub async fn get(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<NotificationOut>, Problem> {
    let id = path_id(&id, WHAT)?;
    let workspace = state.postgres.of(&principal).await?;
    let find = || {
        let mut query = select(&workspace, &principal);
        query.push(" AND told.notification_id = ").push_bind(id);
        workspace.one::<NotificationRow>(query)
    };
    let row = state.resource(&headers, &principal, WHAT, find).await?;
    Ok(Json(row.into()))
}

/// Nobody sees those of others.
fn select(workspace: &Workspace, principal: &Principal) -> QueryBuilder<Postgres> {
    let mut query = workspace.select(COLUMNS, FROM);
    query.push(" AND told.user_id = ").push_bind(principal.user.clone());
    query
}
