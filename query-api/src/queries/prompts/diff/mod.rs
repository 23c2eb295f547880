//! `GET /prompts/{id}/diff`: what differs between two versions.

mod changes;
mod lines;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::parameters::PROMPT_DIFF_QUERY;

use super::documents::PromptDiff;
use super::find::Address;
use super::versions::{Span, VersionRow};
use crate::params::Params;
use crate::state::AppState;

pub async fn diff(
    State(state): State<AppState>,
    principal: Principal,
    Path(addressed): Path<String>,
    Query(pairs): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Json<PromptDiff>, Problem> {
    let mut params = Params::new(pairs, PROMPT_DIFF_QUERY);
    let [from, to] = ["from", "to"].map(|name| params.whole(name) as i64);
    params.finish()?;
    let workspace = state.postgres.of(&principal).await?;
    let address = Address::of(&principal, &addressed);
    let row = state.resource(&headers, &principal, "Prompt", || address.find(&workspace)).await?;
    let mut versions = Vec::new();
    for version in [row.version(from)?, row.version(to)?] {
        versions.extend(Span { id: row.prompt_id, from: version, to: version }.read(&workspace).await?);
    }
    let [from, to] = <[VersionRow; 2]>::try_from(versions).map_err(|_| Problem::not_found("Prompt"))?;
    let compared = tokio::task::spawn_blocking(move || PromptDiff {
        from: from.version,
        to: to.version,
        changes: changes::between(&from, &to),
        text: lines::between(&lines::text(&from), &lines::text(&to)),
    });
    Ok(Json(compared.await.map_err(Problem::internal)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    pub fn version(content: Option<&str>, messages: Option<&str>) -> VersionRow {
        VersionRow {
            version: 1,
            content: content.map(str::to_owned),
            messages: messages.map(str::to_owned),
            variables: Vec::new(),
            model: None,
            config: None,
            message: None,
            created_by: String::new(),
            created_at: time::OffsetDateTime::UNIX_EPOCH,
        }
    }
}
