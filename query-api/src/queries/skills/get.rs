//! `GET /skills/{id}`: as it is now, or in one of its versions.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::parameters::SKILL_QUERY;
use schemas::ids;
use uuid::Uuid;

use super::documents::{SkillOut, SkillRow};
use crate::params::Params;
use crate::state::AppState;
use crate::stores::Workspace;

pub async fn get(
    State(state): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
    Query(pairs): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut params = Params::new(pairs, SKILL_QUERY);
    let version = params.whole_if_given("version").and_then(|version| i64::try_from(version).ok());
    params.finish()?;
    let id = path_id(&id)?;
    let workspace = state.postgres.of(&principal).await?;
    let row = state.resource(&headers, &principal, "Skill", || find(&workspace, id, version)).await?;
    let tag = format!("\"{}\"", row.version);
    Ok(([(header::ETAG, tag)], Json(SkillOut::from(row))).into_response())
}

/// No other text can name a skill.
pub fn path_id(id: &str) -> Result<Uuid, Problem> {
    ids::resource_id(id).and_then(|id| Uuid::try_parse(&id).ok()).ok_or_else(|| Problem::not_found("Skill"))
}

async fn find(workspace: &Workspace, id: Uuid, version: Option<i64>) -> Result<Option<SkillRow>, Problem> {
    let mut query = match version {
        None => workspace.select("*", "@skills"),
        Some(_) => workspace.select(
            "skill_id, that.version, that.name, that.description, that.definition, that.scope, that.tags, that.is_public,
             skills.created_by, skills.created_at, that.created_by AS updated_by, that.created_at AS updated_at",
            "@skill_versions AS that JOIN @skills AS skills USING (tenant, skill_id)",
        ),
    };
    query.push(" AND skill_id = ").push_bind(id);
    if let Some(version) = version {
        query.push(" AND that.version = ").push_bind(version);
    }
    workspace.one(query).await
}
