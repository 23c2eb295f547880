//! `GET /skills`: the newest first, by scope and tags.

use axum::Json;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::parameters::SKILLS_QUERY;
use runtime::position::Topic;
use sqlx::{Postgres, QueryBuilder};

use super::documents::{SkillList, SkillRow};
use crate::pages::{Page, Place};
use crate::params::Params;
use crate::state::AppState;

const MOST_TAGS: usize = 16;

struct Filters {
    scope: Option<String>,
    tags: Vec<String>,
}

impl Filters {
    fn read(params: &mut Params) -> Filters {
        let tags = params.text("tags").map(|tags| tags.split(',').map(|tag| tag.trim().to_owned()).collect());
        let tags: Vec<String> = tags.unwrap_or_default();
        if tags.len() > MOST_TAGS || tags.iter().any(String::is_empty) {
            params.fault(format!("tags is not 1 to {MOST_TAGS} tags, separated by commas"));
        }
        Filters { scope: params.text("scope"), tags }
    }

    /// The first tag's rows are in the list's order by themselves.
    fn from(&self) -> (&'static str, &'static str) {
        if self.tags.is_empty() {
            ("@skills AS skills", "skills")
        } else {
            ("@skill_tags AS tagged JOIN @skills AS skills USING (tenant, skill_id)", "tagged")
        }
    }

    /// Of a tag alone its own rows are enough.
    fn counted_from(&self) -> &'static str {
        if self.tags.len() == 1 && self.scope.is_none() { "@skill_tags AS tagged" } else { self.from().0 }
    }

    fn narrow(&self, query: &mut QueryBuilder<Postgres>) {
        if let Some((first, others)) = self.tags.split_first() {
            query.push(" AND tagged.tag = ").push_bind(first.clone());
            if !others.is_empty() {
                query.push(" AND skills.tags @> ").push_bind(others.to_vec());
            }
        }
        if let Some(scope) = &self.scope {
            query.push(" AND skills.scope = ").push_bind(scope.clone());
        }
    }
}

pub async fn list(
    State(state): State<AppState>,
    principal: Principal,
    Query(pairs): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Json<SkillList>, Problem> {
    let mut params = Params::new(pairs, SKILLS_QUERY);
    let filters = Filters::read(&mut params);
    let purpose = format!("skills\0{:?}\0{:?}", filters.scope, filters.tags);
    let page = Page::read(&mut params, &state.signer, purpose);
    params.finish()?;
    state.freshness.after(&state.signer, &headers, Topic::Workspace).await?;
    let workspace = state.postgres.of(&principal).await?;
    let (from, sorted) = filters.from();
    let mut query = workspace.select("skills.*", from);
    filters.narrow(&mut query);
    page.end(&mut query, &format!("{sorted}.created_at"), "skill_id");
    let mut rows: Vec<SkillRow> = workspace.all(query).await?;
    let next_cursor = page
        .next_cursor(&state.signer, &mut rows, |row: &SkillRow| Place { created_at: row.created_at, id: row.skill_id });
    let mut counted = workspace.counted(filters.counted_from());
    filters.narrow(&mut counted);
    let (total, total_is) = page.total(&workspace, counted).await?;
    let skills = rows.into_iter().map(Into::into).collect();
    Ok(Json(SkillList { skills, total, total_is, limit: page.limit, offset: page.offset, next_cursor }))
}
