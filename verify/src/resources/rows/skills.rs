//! "Skills".

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{AssertSqlSafe, PgConnection};
use time::OffsetDateTime;
use uuid::Uuid;

use super::super::{Skill, SkillVersion};
use super::{keyed, micros};
use crate::verify::Report;

pub struct Rows {
    skills: BTreeMap<(String, String), SkillRow>,
    /// By (tenant, id, version).
    versions: BTreeMap<(String, String, i64), SkillVersionRow>,
    /// (tenant, id, tag, microseconds since 1970)
    tags: BTreeSet<(String, String, String, i64)>,
}

#[derive(sqlx::FromRow)]
struct SkillRow {
    version: i64,
    created_by: String,
    created_at: OffsetDateTime,
    updated_by: String,
    updated_at: OffsetDateTime,
    #[sqlx(flatten)]
    shown: Shown,
}

#[derive(sqlx::FromRow)]
struct SkillVersionRow {
    restores: Option<i64>,
    created_by: String,
    created_at: OffsetDateTime,
    #[sqlx(flatten)]
    shown: Shown,
}

/// What a skill and its versions have in common.
#[derive(Debug, PartialEq, sqlx::FromRow)]
struct Shown {
    name: String,
    description: String,
    definition: String,
    scope: String,
    tags: Vec<String>,
    is_public: bool,
}

impl Rows {
    pub async fn read(snapshot: &mut PgConnection, schema: &str) -> anyhow::Result<Rows> {
        let tags = format!("SELECT tenant, skill_id, tag, created_at FROM {schema}.skill_tags");
        let tags: Vec<(String, Uuid, String, OffsetDateTime)> =
            sqlx::query_as(AssertSqlSafe(tags)).fetch_all(&mut *snapshot).await?;
        let skills: Vec<(Key, SkillRow)> = keyed(snapshot, schema, "skills").await?;
        let versions: Vec<(Key, SkillVersionRow)> = keyed(snapshot, schema, "skill_versions").await?;
        Ok(Rows {
            skills: skills.into_iter().map(|(key, row)| ((key.tenant, key.skill_id.to_string()), row)).collect(),
            versions: versions
                .into_iter()
                .map(|(key, row)| ((key.tenant, key.skill_id.to_string(), key.version), row))
                .collect(),
            tags: tags
                .into_iter()
                .map(|(tenant, skill, tag, at)| (tenant, skill.to_string(), tag, micros(at)))
                .collect(),
        })
    }

    pub fn compare(&self, expected: &BTreeMap<(String, String), Skill>, report: &mut Report) {
        let (mut versions, mut tags) = (BTreeMap::new(), BTreeSet::new());
        for ((tenant, id), skill) in expected {
            for (version, row) in (1..).zip(&skill.versions) {
                versions.insert((tenant.clone(), id.clone(), version), row);
            }
            let created_at = skill.versions.first().map_or(0, |first| first.created_at);
            let newest = skill.versions.last().map_or(&[][..], |newest| &newest.tags);
            tags.extend(newest.iter().map(|tag| (tenant.clone(), id.clone(), tag.clone(), created_at)));
        }
        for key in crate::workspace::both(expected, &self.skills) {
            let name = format!("{}/{}", key.0, key.1);
            let (skill, row) = (expected.get(key), self.skills.get(key));
            report.compared("skills");
            report.field("skills", &name, "exists", &skill.is_some(), &row.is_some());
            let (Some(skill), Some(row)) = (skill, row) else { continue };
            let (Some(first), Some(newest)) = (skill.versions.first(), skill.versions.last()) else { continue };
            report.field("skills", &name, "version", &(skill.versions.len() as i64), &row.version);
            report.field("skills", &name, "created_at", &first.created_at, &micros(row.created_at));
            report.field("skills", &name, "updated_at", &newest.created_at, &micros(row.updated_at));
            if newest.is_lost || first.is_lost {
                report.skip("skills");
                continue;
            }
            report.field("skills", &name, "created_by", &first.created_by, &row.created_by);
            report.field("skills", &name, "updated_by", &newest.created_by, &row.updated_by);
            report.field("skills", &name, "content", &shown(newest), &row.shown);
        }
        for key in crate::workspace::both(&versions, &self.versions) {
            let name = format!("{}/{} {}", key.0, key.1, key.2);
            let (version, row) = (versions.get(key), self.versions.get(key));
            report.compared("skill_versions");
            report.field("skill_versions", &name, "exists", &version.is_some(), &row.is_some());
            let (Some(version), Some(row)) = (version, row) else { continue };
            report.field("skill_versions", &name, "restores", &version.restores, &row.restores);
            report.field("skill_versions", &name, "created_at", &version.created_at, &micros(row.created_at));
            if version.is_lost {
                report.skip("skill_versions");
                continue;
            }
            report.field("skill_versions", &name, "created_by", &version.created_by, &row.created_by);
            report.field("skill_versions", &name, "content", &shown(version), &row.shown);
        }
        let is_lost = expected.values().any(|skill| skill.versions.iter().any(|version| version.is_lost));
        if is_lost {
            report.skip("skill_tags");
        } else {
            report.compared("skill_tags");
            report.field("skill_tags", "all", "rows", &tags, &self.tags);
        }
    }
}

#[derive(sqlx::FromRow)]
struct Key {
    tenant: String,
    skill_id: Uuid,
    version: i64,
}

fn shown(version: &SkillVersion) -> Shown {
    Shown {
        name: version.name.clone(),
        description: version.description.clone(),
        definition: version.definition.clone(),
        scope: version.scope.clone(),
        tags: version.tags.clone(),
        is_public: version.is_public,
    }
}
