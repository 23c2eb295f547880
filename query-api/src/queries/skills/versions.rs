//! `GET /skills/{id}/versions`, the newest first.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::parameters::SKILL_VERSIONS_QUERY;
use runtime::http::rfc3339;
use time::OffsetDateTime;

use super::documents::{SkillVersionList, SkillVersionOut, json};
use super::get::path_id;
use crate::cursor::Cursor;
use crate::params::Params;
use crate::state::AppState;

#[derive(sqlx::FromRow)]
struct Row {
    version: i64,
    restores: Option<i64>,
    name: String,
    description: String,
    definition: String,
    scope: String,
    tags: Vec<String>,
    is_public: bool,
    created_by: String,
    created_at: OffsetDateTime,
}

pub async fn versions(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
    Query(pairs): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Json<SkillVersionList>, Problem> {
    let mut params = Params::new(pairs, SKILL_VERSIONS_QUERY);
    let limit = params.whole("limit");
    let purpose = format!("skill versions\0{id}");
    let cursor = Cursor::asked(&mut params, &state.signer, &purpose);
    params.finish()?;
    let id = path_id(&id)?;
    let workspace = state.postgres.of(&principal).await?;
    let current = || {
        let mut query = workspace.select("version", "@skills");
        query.push(" AND skill_id = ").push_bind(id);
        workspace.one::<(i64,)>(query)
    };
    let (total,) = state.resource(&headers, &principal, "Skill", current).await?;
    let mut query = workspace.select("*", "@skill_versions");
    query.push(" AND skill_id = ").push_bind(id);
    if let Some(before) = cursor.and_then(|cursor| cursor.value.parse::<i64>().ok()) {
        query.push(" AND version < ").push_bind(before);
    }
    query.push(format!(" ORDER BY version DESC LIMIT {}", limit + 1));
    let mut rows: Vec<Row> = workspace.all(query).await?;
    let is_more = rows.len() as u64 > limit;
    rows.truncate(limit as usize);
    let next_cursor = rows.last().filter(|_| is_more).map(|last| {
        let cursor = Cursor { value: last.version.to_string(), id: id.to_string() };
        cursor.write(&state.signer, &purpose)
    });
    let versions = rows.into_iter().map(shown).collect();
    Ok(Json(SkillVersionList { id: id.to_string(), versions, total, limit, next_cursor }))
}

fn shown(row: Row) -> SkillVersionOut {
    SkillVersionOut {
        version: row.version,
        restores: row.restores,
        name: row.name,
        description: row.description,
        definition: json(row.definition),
        scope: row.scope,
        tags: row.tags,
        is_public: row.is_public,
        created_by: row.created_by,
        created_at: rfc3339(row.created_at),
    }
}
