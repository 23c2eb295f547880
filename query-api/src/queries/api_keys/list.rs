//! `GET /api-keys/all`: the newest first.

use axum::Json;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::parameters::API_KEYS_QUERY;
use runtime::http::routes::Needs;
use runtime::position::Topic;
use sqlx::{Postgres, QueryBuilder};

use super::documents::{COLUMNS, KeyRow, NamedApiKeyList};
use super::visible;
use crate::pages::{Page, Place};
use crate::params::Params;
use crate::state::AppState;

pub async fn list(
    State(state): State<AppState>,
    principal: Principal,
    Query(pairs): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Json<NamedApiKeyList>, Problem> {
    let mut params = Params::new(pairs, API_KEYS_QUERY);
    let user = params.text("user_id");
    let whose = if principal.may(Needs::Administering) { "" } else { &principal.user };
    let page = Page::read(&mut params, &state.signer, format!("api keys\0{whose}\0{user:?}"));
    params.finish()?;
    state.freshness.after(&state.signer, &headers, Topic::Workspace).await?;
    let workspace = state.postgres.of(&principal).await?;
    let narrow = |query: &mut QueryBuilder<Postgres>| {
        visible(&principal, query);
        if let Some(user) = &user {
            query.push(" AND user_id = ").push_bind(user.clone());
        }
    };
    let mut query = workspace.select(COLUMNS, "@api_keys");
    narrow(&mut query);
    page.end(&mut query, "created_at", "key_id");
    let mut rows: Vec<KeyRow> = workspace.all(query).await?;
    let next_cursor =
        page.next_cursor(&state.signer, &mut rows, |row: &KeyRow| Place { created_at: row.created_at, id: row.key_id });
    let mut counted = workspace.counted("@api_keys");
    narrow(&mut counted);
    let (total, total_is) = page.total(&workspace, counted).await?;
    let api_keys = rows.into_iter().map(Into::into).collect();
    Ok(Json(NamedApiKeyList { api_keys, total, total_is, limit: page.limit, offset: page.offset, next_cursor }))
}
