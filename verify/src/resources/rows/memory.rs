//! Rows of the memory.

use std::collections::{BTreeMap, BTreeSet};

use schemas::events::MemoryContent;
use sqlx::{AssertSqlSafe, PgConnection};
use time::OffsetDateTime;
use uuid::Uuid;

use super::super::Memory;
use super::micros;
use crate::verify::Report;
use crate::workspace::both;

type Key = (String, String);

pub struct Rows {
    entries: BTreeMap<Key, Row>,
    owners: BTreeSet<(Key, String)>,
}

#[derive(sqlx::FromRow)]
struct Row {
    tenant: String,
    memory_id: Uuid,
    key_hash: Vec<u8>,
    version: i64,
    key: String,
    value: String,
    scope: String,
    category: String,
    confidence: f64,
    project_id: Option<String>,
    session_id: Option<String>,
    expires_at: Option<OffsetDateTime>,
    created_by: String,
    created_at: OffsetDateTime,
    updated_by: String,
    updated_at: OffsetDateTime,
}

impl Rows {
    pub async fn read(snapshot: &mut PgConnection, schema: &str) -> anyhow::Result<Rows> {
        const COLUMNS: &str = "tenant, memory_id, key_hash, version, key, value, scope, category, confidence, project_id, \
                               session_id, expires_at, created_by, created_at, updated_by, updated_at";
        let entries: Vec<Row> = sqlx::query_as(AssertSqlSafe(format!("SELECT {COLUMNS} FROM {schema}.memory")))
            .fetch_all(&mut *snapshot)
            .await?;
        let owners: Vec<(String, Uuid, String)> =
            sqlx::query_as(AssertSqlSafe(format!("SELECT tenant, memory_id, owner FROM {schema}.memory_owners")))
                .fetch_all(snapshot)
                .await?;
        Ok(Rows {
            entries: entries.into_iter().map(|row| ((row.tenant.clone(), row.memory_id.to_string()), row)).collect(),
            owners: owners.into_iter().map(|(tenant, id, owner)| ((tenant, id.to_string()), owner)).collect(),
        })
    }

    pub fn compare(&self, expected: &BTreeMap<Key, Memory>, report: &mut Report) {
        for key in both(expected, &self.entries) {
            let name = format!("{}/{}", key.0, key.1);
            let (entry, row) = (expected.get(key), self.entries.get(key));
            report.compared("memory");
            report.field("memory", &name, "exists", &entry.is_some(), &row.is_some());
            let (Some(entry), Some(row)) = (entry, row) else { continue };
            report.field("memory", &name, "key_hash", &entry.key_hash.as_slice(), &row.key_hash.as_slice());
            report.field("memory", &name, "version", &entry.version, &row.version);
            report.field("memory", &name, "created_at", &entry.created_at, &micros(row.created_at));
            report.field("memory", &name, "updated_at", &entry.updated_at, &micros(row.updated_at));
            let Some(content) = &entry.content else {
                report.skip("memory");
                continue;
            };
            report.field("memory", &name, "created_by", &entry.created_by, &row.created_by);
            report.field("memory", &name, "content", content, &row.content());
        }
        let owners = |(key, entry): (&Key, &Memory)| {
            let key = key.clone();
            entry.owners.iter().map(move |owner| (key.clone(), owner.clone())).collect::<Vec<_>>()
        };
        report.compared("memory_owners");
        report.field("memory_owners", "all", "rows", &expected.iter().flat_map(owners).collect(), &self.owners);
    }
}

impl Row {
    fn content(&self) -> MemoryContent {
        MemoryContent {
            user_id: self.updated_by.clone(),
            key: self.key.clone(),
            value: self.value.clone(),
            scope: self.scope.clone(),
            category: self.category.clone(),
            confidence: self.confidence,
            project_id: self.project_id.clone(),
            session_id: self.session_id.clone(),
            expires_at: self.expires_at.map(micros),
        }
    }
}
