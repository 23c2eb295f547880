//! `GET /prompts`: the newest first, by name and label.

use axum::Json;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::parameters::PROMPTS_QUERY;
use runtime::position::Topic;
use sqlx::{Postgres, QueryBuilder};

use super::documents::PromptList;
use super::find::{COLUMNS, LABELS, LATEST, PromptRow, name_hash};
use crate::pages::{Page, Place};
use crate::params::Params;
use crate::state::AppState;

struct Filters {
    name: Option<Vec<u8>>,
    label: Option<String>,
}

impl Filters {
    fn read(params: &Params, principal: &Principal) -> Filters {
        Filters {
            name: params.text("name").map(|name| name_hash(principal, &name)),
            // Which all have.
            label: params.text("label").filter(|label| label != LATEST),
        }
    }

    /// A label's rows are in the list's order by themselves.
    fn from(&self) -> (&'static str, &'static str) {
        match self.label {
            None => ("@prompts AS prompts", "prompts"),
            Some(_) => ("@prompt_labels AS tagged JOIN @prompts AS prompts USING (tenant, prompt_id)", "tagged"),
        }
    }

    fn narrow(&self, query: &mut QueryBuilder<Postgres>) {
        if let Some(name) = &self.name {
            query.push(" AND prompts.name_hash = ").push_bind(name.clone());
        }
        if let Some(label) = &self.label {
            query.push(" AND tagged.label = ").push_bind(label.clone());
        }
    }
}

pub async fn list(
    State(state): State<AppState>,
    principal: Principal,
    Query(pairs): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Json<PromptList>, Problem> {
    let mut params = Params::new(pairs, PROMPTS_QUERY);
    let filters = Filters::read(&params, &principal);
    let purpose = format!("prompts\0{:?}\0{:?}", filters.name, filters.label);
    let page = Page::read(&mut params, &state.signer, purpose);
    params.finish()?;
    state.freshness.after(&state.signer, &headers, Topic::Workspace).await?;
    let workspace = state.postgres.of(&principal).await?;
    let (from, sorted) = filters.from();
    let mut query = workspace.select(COLUMNS, &format!("{from} {LABELS}"));
    filters.narrow(&mut query);
    page.end(&mut query, &format!("{sorted}.created_at"), &format!("{sorted}.prompt_id"));
    let mut rows: Vec<PromptRow> = workspace.all(query).await?;
    let next_cursor = page.next_cursor(&state.signer, &mut rows, |row: &PromptRow| Place {
        created_at: row.created_at,
        id: row.prompt_id,
    });
    let mut counted = workspace.counted(from);
    filters.narrow(&mut counted);
    let (total, total_is) = page.total(&workspace, counted).await?;
    let prompts = rows.into_iter().map(Into::into).collect();
    Ok(Json(PromptList { prompts, total, total_is, limit: page.limit, offset: page.offset, next_cursor }))
}
