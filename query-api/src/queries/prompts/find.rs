//! A prompt as Postgres has it, by its id or its name.

use std::collections::BTreeMap;

use runtime::Problem;
use runtime::auth::Principal;
use runtime::http::rfc3339;
use schemas::ids;
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

use super::documents::PromptSummary;
use crate::stores::Workspace;

/// What the newest version is always known by.
pub const LATEST: &str = "latest";

/// Of one prompt with its labels, in one look at the store: a label never points beyond the newest version.
pub const COLUMNS: &str = "prompts.*, coalesce(labelled.labels, '{}') AS labels";
pub const LABELS: &str =
    "CROSS JOIN LATERAL (SELECT jsonb_object_agg(label, version) AS labels FROM @prompt_labels AS labels
  WHERE labels.tenant = prompts.tenant AND labels.prompt_id = prompts.prompt_id) AS labelled";

pub enum Address {
    Id(Uuid),
    Name(Vec<u8>),
}

#[derive(sqlx::FromRow)]
pub struct PromptRow {
    pub prompt_id: Uuid,
    pub name: String,
    pub description: String,
    pub labels: Json<BTreeMap<String, i64>>,
    pub latest_version: i64,
    pub created_by: String,
    pub created_at: OffsetDateTime,
    pub updated_at: OffsetDateTime,
}

impl Address {
    /// What parses as an id is none of the names.
    pub fn of(principal: &Principal, text: &str) -> Address {
        match ids::resource_id(text).and_then(|id| Uuid::try_parse(&id).ok()) {
            Some(id) => Address::Id(id),
            None => Address::Name(name_hash(principal, text)),
        }
    }

    pub async fn find(&self, workspace: &Workspace) -> Result<Option<PromptRow>, Problem> {
        let mut query = workspace.select(COLUMNS, &format!("@prompts AS prompts {LABELS}"));
        match self {
            Address::Id(id) => query.push(" AND prompts.prompt_id = ").push_bind(*id),
            Address::Name(hash) => query.push(" AND prompts.name_hash = ").push_bind(hash.clone()),
        };
        workspace.one(query).await
    }
}

pub fn name_hash(principal: &Principal, name: &str) -> Vec<u8> {
    ids::name_hash("prompt", &principal.tenant, name).to_vec()
}

impl PromptRow {
    /// Versions have no gaps, and none goes before the prompt does.
    pub fn version(&self, version: i64) -> Result<i64, Problem> {
        if (1..=self.latest_version).contains(&version) {
            return Ok(version);
        }
        Err(Problem::not_found(&format!("Version {version} of the prompt")))
    }

    pub fn labelled(&self, label: &str) -> Result<i64, Problem> {
        if label == LATEST {
            return Ok(self.latest_version);
        }
        let version = self.labels.get(label).copied();
        version.ok_or_else(|| Problem::not_found(&format!("Label {label} of the prompt")))
    }
}

impl From<PromptRow> for PromptSummary {
    fn from(row: PromptRow) -> PromptSummary {
        PromptSummary {
            id: row.prompt_id.to_string(),
            name: row.name,
            description: row.description,
            labels: row.labels.0,
            latest_version: row.latest_version,
            created_by: row.created_by,
            created_at: rfc3339(row.created_at),
            updated_at: rfc3339(row.updated_at),
        }
    }
}
