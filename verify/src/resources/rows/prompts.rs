//! "Prompts".

use std::collections::BTreeMap;

use schemas::events::PromptVersionContent;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::super::{Prompt, PromptVersion};
use super::{keyed, micros};
use crate::verify::Report;

pub struct Rows {
    prompts: BTreeMap<(String, String), PromptRow>,
    /// By (tenant, id, version).
    versions: BTreeMap<(String, String, i64), VersionRow>,
    /// By (tenant, id, label): the version, and when the prompt was made.
    labels: BTreeMap<(String, String, String), (i64, i64)>,
}

#[derive(sqlx::FromRow)]
struct Key {
    tenant: String,
    prompt_id: Uuid,
}

#[derive(sqlx::FromRow)]
struct PromptRow {
    name_hash: Vec<u8>,
    name: String,
    description: String,
    latest_version: i64,
    created_by: String,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
}

#[derive(sqlx::FromRow)]
struct VersionRow {
    version: i64,
    content: Option<String>,
    messages: Option<String>,
    variables: Vec<String>,
    model: Option<String>,
    config: Option<String>,
    message: Option<String>,
    created_by: String,
    created_at: OffsetDateTime,
}

#[derive(sqlx::FromRow)]
struct LabelRow {
    label: String,
    version: i64,
    created_at: OffsetDateTime,
}

impl Rows {
    pub async fn read(snapshot: &mut PgConnection, schema: &str) -> anyhow::Result<Rows> {
        let prompts: Vec<(Key, PromptRow)> = keyed(snapshot, schema, "prompts").await?;
        let versions: Vec<(Key, VersionRow)> = keyed(snapshot, schema, "prompt_versions").await?;
        let labels: Vec<(Key, LabelRow)> = keyed(snapshot, schema, "prompt_labels").await?;
        Ok(Rows {
            prompts: prompts.into_iter().map(|(key, row)| ((key.tenant, key.prompt_id.to_string()), row)).collect(),
            versions: versions
                .into_iter()
                .map(|(key, row)| ((key.tenant, key.prompt_id.to_string(), row.version), row))
                .collect(),
            labels: labels
                .into_iter()
                .map(|(key, row)| {
                    ((key.tenant, key.prompt_id.to_string(), row.label), (row.version, micros(row.created_at)))
                })
                .collect(),
        })
    }

    pub fn compare(&self, expected: &BTreeMap<(String, String), Prompt>, report: &mut Report) {
        let (mut versions, mut labels) = (BTreeMap::new(), BTreeMap::new());
        for ((tenant, id), prompt) in expected {
            for (number, version) in (1..).zip(&prompt.versions) {
                versions.insert((tenant.clone(), id.clone(), number), version);
            }
            let created_at = prompt.versions.first().map_or(0, |first| first.created_at);
            for (label, version) in &prompt.labels {
                labels.insert((tenant.clone(), id.clone(), label.clone()), (*version, created_at));
            }
        }
        for key in crate::workspace::both(expected, &self.prompts) {
            let name = format!("{}/{}", key.0, key.1);
            let (prompt, row) = (expected.get(key), self.prompts.get(key));
            report.compared("prompts");
            report.field("prompts", &name, "exists", &prompt.is_some(), &row.is_some());
            if let (Some(prompt), Some(row)) = (prompt, row) {
                compare_prompt(&name, prompt, row, report);
            }
        }
        for key in crate::workspace::both(&versions, &self.versions) {
            let name = format!("{}/{} {}", key.0, key.1, key.2);
            let (version, row) = (versions.get(key), self.versions.get(key));
            report.compared("prompt_versions");
            report.field("prompt_versions", &name, "exists", &version.is_some(), &row.is_some());
            if let (Some(version), Some(row)) = (version, row) {
                compare_version(&name, version, row, report);
            }
        }
        for key in crate::workspace::both(&labels, &self.labels) {
            let name = format!("{}/{} {}", key.0, key.1, key.2);
            report.compared("prompt_labels");
            report.field("prompt_labels", &name, "row", &labels.get(key), &self.labels.get(key));
        }
    }
}

fn compare_prompt(name: &str, prompt: &Prompt, row: &PromptRow, report: &mut Report) {
    let Some(first) = prompt.versions.first() else { return };
    report.field("prompts", name, "name_hash", &prompt.name_hash.to_vec(), &row.name_hash);
    report.field("prompts", name, "latest_version", &(prompt.versions.len() as i64), &row.latest_version);
    report.field("prompts", name, "created_at", &first.created_at, &micros(row.created_at));
    report.field("prompts", name, "updated_at", &prompt.updated_at, &micros(row.updated_at));
    // Both are sealed under one key.
    let (Some(content), Some(version)) = (&prompt.content, &first.content) else { return report.skip("prompts") };
    report.field("prompts", name, "name", &content.name, &row.name);
    report.field("prompts", name, "description", &content.description.clone().unwrap_or_default(), &row.description);
    report.field("prompts", name, "created_by", &version.user_id, &row.created_by);
}

fn compare_version(name: &str, version: &PromptVersion, row: &VersionRow, report: &mut Report) {
    report.field("prompt_versions", name, "created_at", &version.created_at, &micros(row.created_at));
    let Some(content) = &version.content else { return report.skip("prompt_versions") };
    let found = PromptVersionContent {
        user_id: row.created_by.clone(),
        content: row.content.clone(),
        messages: row.messages.clone(),
        variables: row.variables.clone(),
        model: row.model.clone(),
        config: row.config.clone(),
        message: row.message.clone(),
    };
    report.field("prompt_versions", name, "content", content, &found);
}
