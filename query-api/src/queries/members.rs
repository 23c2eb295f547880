//! `GET /members`: whoever has had a bearer token or an API key, by user id.

use axum::Json;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use runtime::Problem;
use runtime::auth::{Principal, Role};
use runtime::http::parameters::MEMBERS_QUERY;
use runtime::http::rfc3339;
use runtime::position::Topic;
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::cursor::Cursor;
use crate::pages;
use crate::params::Params;
use crate::state::AppState;

const PURPOSE: &str = "members";

#[derive(Serialize, ToSchema)]
pub struct MemberOut {
    pub user_id: String,
    /// `owner`, `admin`, `member` or `viewer`
    pub role: &'static str,
    pub first_seen_at: String,
    /// To about an hour
    pub last_seen_at: String,
}

#[derive(Serialize, ToSchema)]
pub struct MemberList {
    pub members: Vec<MemberOut>,
    pub total: u64,
    /// `at_least` where the total was not counted to its end
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_is: Option<&'static str>,
    pub limit: u64,
    pub offset: u64,
    pub next_cursor: Option<String>,
}

#[derive(sqlx::FromRow)]
struct Row {
    user_id: String,
    role: String,
    first_seen_at: OffsetDateTime,
    last_seen_at: OffsetDateTime,
}

pub async fn list(
    State(state): State<AppState>,
    principal: Principal,
    Query(pairs): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Json<MemberList>, Problem> {
    let mut params = Params::new(pairs, MEMBERS_QUERY);
    let (limit, offset) = (params.whole("limit"), params.whole("offset"));
    let exact = params.one_of("count").is_some();
    let cursor = Cursor::asked(&mut params, &state.signer, PURPOSE);
    if cursor.is_some() && offset > 0 {
        params.fault("offset and cursor exclude each other".to_owned());
    }
    params.finish()?;
    state.freshness.after(&state.signer, &headers, Topic::Workspace).await?;
    let workspace = state.postgres.of(&principal).await?;
    let mut query = workspace.select("user_id, role, first_seen_at, last_seen_at", "@members");
    if let Some(cursor) = cursor {
        query.push(" AND user_id > ").push_bind(cursor.value);
    }
    query.push(format!(" ORDER BY user_id LIMIT {} OFFSET {offset}", limit + 1));
    let mut rows: Vec<Row> = workspace.all(query).await?;
    let is_more = rows.len() as u64 > limit;
    rows.truncate(limit as usize);
    let next_cursor = rows.last().filter(|_| is_more).map(|last| {
        let cursor = Cursor { value: last.user_id.clone(), id: String::new() };
        cursor.write(&state.signer, PURPOSE)
    });
    let (total, total_is) = pages::total(&workspace, workspace.counted("@members"), exact).await?;
    Ok(Json(MemberList { members: rows.into_iter().map(shown).collect(), total, total_is, limit, offset, next_cursor }))
}

fn shown(row: Row) -> MemberOut {
    MemberOut {
        user_id: row.user_id,
        // Of a key that was made while roles had the names of the identity provider.
        role: Role::of(&row.role).as_str(),
        first_seen_at: rfc3339(row.first_seen_at),
        last_seen_at: rfc3339(row.last_seen_at),
    }
}
