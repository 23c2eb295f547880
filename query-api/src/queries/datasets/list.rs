//! `GET /datasets`: the newest first.

use axum::Json;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::parameters::DATASETS_QUERY;
use runtime::position::Topic;
use schemas::ids;
use sqlx::{Postgres, QueryBuilder};

use super::documents::DatasetList;
use super::find::DatasetRow;
use crate::pages::{Page, Place};
use crate::params::Params;
use crate::state::AppState;

pub async fn list(
    State(state): State<AppState>,
    principal: Principal,
    Query(pairs): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Json<DatasetList>, Problem> {
    let mut params = Params::new(pairs, DATASETS_QUERY);
    let name = params.text("name").map(|name| ids::name_hash("dataset", &principal.tenant, &name).to_vec());
    let page = Page::read(&mut params, &state.signer, format!("datasets\0{name:?}"));
    params.finish()?;
    state.freshness.after(&state.signer, &headers, Topic::Workspace).await?;
    let workspace = state.postgres.of(&principal).await?;
    let narrow = |query: &mut QueryBuilder<Postgres>| {
        if let Some(name) = &name {
            query.push(" AND name_hash = ").push_bind(name.clone());
        }
    };
    let mut query = workspace.select("*, version AS latest_version", "@datasets");
    narrow(&mut query);
    page.end(&mut query, "created_at", "dataset_id");
    let mut rows: Vec<DatasetRow> = workspace.all(query).await?;
    let place = |row: &DatasetRow| Place { created_at: row.created_at, id: row.dataset_id };
    let next_cursor = page.next_cursor(&state.signer, &mut rows, place);
    let mut counted = workspace.counted("@datasets");
    narrow(&mut counted);
    let (total, total_is) = page.total(&workspace, counted).await?;
    let datasets = rows.into_iter().map(Into::into).collect();
    Ok(Json(DatasetList { datasets, total, total_is, limit: page.limit, offset: page.offset, next_cursor }))
}
