//! `GET /prompts/{id}/versions`, the newest first.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::parameters::PROMPT_VERSIONS_QUERY;
use runtime::http::rfc3339;
use runtime::position::Signer;
use serde_json::value::RawValue;
use time::OffsetDateTime;
use uuid::Uuid;

use super::documents::{PromptVersionList, PromptVersionOut};
use super::find::Address;
use crate::cursor::Cursor;
use crate::params::Params;
use crate::state::AppState;
use crate::stores::Workspace;

/// A page of longer versions ends earlier.
const MOST_BYTES: i64 = 4 << 20;
/// What cursors are for; whose versions they are is the cursor's id.
const PURPOSE: &str = "prompt versions";

#[derive(sqlx::FromRow)]
pub struct VersionRow {
    pub version: i64,
    pub content: Option<String>,
    pub messages: Option<String>,
    pub variables: Vec<String>,
    pub model: Option<String>,
    pub config: Option<String>,
    pub message: Option<String>,
    pub created_by: String,
    pub created_at: OffsetDateTime,
}

/// Versions of a prompt, both ends included.
pub struct Span {
    pub id: Uuid,
    pub from: i64,
    pub to: i64,
}

impl Span {
    /// As many of the newest as a page holds.
    pub async fn newest(self, workspace: &Workspace, limit: i64) -> Result<Span, Problem> {
        let columns = "version, (coalesce(octet_length(content), 0) + coalesce(octet_length(messages), 0)
                                 + coalesce(octet_length(config), 0))::bigint";
        let mut query = workspace.select(columns, "@prompt_versions");
        self.narrow(&mut query);
        query.push(format!(" LIMIT {limit}"));
        let sizes: Vec<(i64, i64)> = workspace.all(query).await?;
        let mut bytes = 0;
        let held = sizes.iter().take_while(|(version, size)| {
            bytes += size;
            bytes <= MOST_BYTES || *version == self.to
        });
        let from = held.last().map_or(self.to, |(version, _)| *version);
        Ok(Span { from, ..self })
    }

    pub async fn read(&self, workspace: &Workspace) -> Result<Vec<VersionRow>, Problem> {
        let mut query = workspace.select("*", "@prompt_versions");
        self.narrow(&mut query);
        let rows: Vec<VersionRow> = workspace.all(query).await?;
        // They are there as long as the prompt is.
        if rows.is_empty() && self.to >= 1 { Err(Problem::not_found("Prompt")) } else { Ok(rows) }
    }

    fn narrow(&self, query: &mut sqlx::QueryBuilder<sqlx::Postgres>) {
        query.push(" AND prompt_id = ").push_bind(self.id);
        query.push(" AND version BETWEEN ").push_bind(self.from).push(" AND ").push_bind(self.to);
        query.push(" ORDER BY version DESC");
    }
}

/// To what is older than the span.
pub fn cursor(signer: &Signer, span: &Span) -> String {
    Cursor { value: span.from.to_string(), id: span.id.to_string() }.write(signer, PURPOSE)
}

pub async fn versions(
    State(state): State<AppState>,
    principal: Principal,
    Path(addressed): Path<String>,
    Query(pairs): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Json<PromptVersionList>, Problem> {
    let mut params = Params::new(pairs, PROMPT_VERSIONS_QUERY);
    let limit = params.whole("limit");
    let asked = Cursor::asked(&mut params, &state.signer, PURPOSE);
    params.finish()?;
    let workspace = state.postgres.of(&principal).await?;
    let address = Address::of(&principal, &addressed);
    let row = state.resource(&headers, &principal, "Prompt", || address.find(&workspace)).await?;
    let id = row.prompt_id;
    if asked.as_ref().is_some_and(|cursor| cursor.id != id.to_string()) {
        return Err(Problem::bad_request("cursor is not one of this prompt's versions"));
    }
    let before = asked.and_then(|cursor| cursor.value.parse::<i64>().ok());
    let to = before.map_or(row.latest_version, |before| before - 1);
    let span = Span { id, from: 1, to }.newest(&workspace, limit as i64).await?;
    let versions = span.read(&workspace).await?.into_iter().map(Into::into).collect();
    let next_cursor = (span.from > 1).then(|| cursor(&state.signer, &span));
    Ok(Json(PromptVersionList { id: id.to_string(), versions, total: row.latest_version, limit, next_cursor }))
}

impl From<VersionRow> for PromptVersionOut {
    fn from(row: VersionRow) -> PromptVersionOut {
        // The command side has checked what is JSON.
        let json = |text: Option<String>| text.and_then(|text| RawValue::from_string(text).ok());
        PromptVersionOut {
            version: row.version,
            content: row.content,
            messages: json(row.messages),
            variables: row.variables,
            model: row.model,
            config: json(row.config),
            message: row.message,
            created_by: row.created_by,
            created_at: rfc3339(row.created_at),
        }
    }
}
