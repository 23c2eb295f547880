//! The answers.

use runtime::http::rfc3339;
use serde::Serialize;
use serde_json::value::RawValue;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Serialize, ToSchema)]
pub struct SkillOut {
    pub id: String,
    pub name: String,
    pub description: String,
    /// As it was sent
    #[schema(value_type = Object)]
    pub definition: Box<RawValue>,
    pub scope: String,
    pub tags: Vec<String>,
    pub is_public: bool,
    pub version: i64,
    pub created_by: String,
    pub created_at: String,
    /// Of this version
    pub updated_by: String,
    pub updated_at: String,
}

#[derive(Serialize, ToSchema)]
pub struct SkillList {
    pub skills: Vec<SkillOut>,
    pub total: u64,
    /// `at_least` where the total was not counted to its end
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_is: Option<&'static str>,
    pub limit: u64,
    pub offset: u64,
    pub next_cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct SkillVersionOut {
    pub version: i64,
    /// The version whose content this one restored
    pub restores: Option<i64>,
    pub name: String,
    pub description: String,
    /// As it was sent
    #[schema(value_type = Object)]
    pub definition: Box<RawValue>,
    pub scope: String,
    pub tags: Vec<String>,
    pub is_public: bool,
    pub created_by: String,
    pub created_at: String,
}

#[derive(Serialize, ToSchema)]
pub struct SkillVersionList {
    pub id: String,
    pub versions: Vec<SkillVersionOut>,
    /// How many there are in all
    pub total: i64,
    pub limit: u64,
    pub next_cursor: Option<String>,
}

/// A skill, or one of its versions.
#[derive(sqlx::FromRow)]
pub struct SkillRow {
    pub skill_id: Uuid,
    pub version: i64,
    pub name: String,
    pub description: String,
    pub definition: String,
    pub scope: String,
    pub tags: Vec<String>,
    pub is_public: bool,
    pub created_by: String,
    pub created_at: OffsetDateTime,
    pub updated_by: String,
    pub updated_at: OffsetDateTime,
}

impl From<SkillRow> for SkillOut {
    fn from(row: SkillRow) -> SkillOut {
        SkillOut {
            id: row.skill_id.to_string(),
            name: row.name,
            description: row.description,
            definition: json(row.definition),
            scope: row.scope,
            tags: row.tags,
            is_public: row.is_public,
            version: row.version,
            created_by: row.created_by,
            created_at: rfc3339(row.created_at),
            updated_by: row.updated_by,
            updated_at: rfc3339(row.updated_at),
        }
    }
}

/// The command side has checked it.
pub fn json(text: String) -> Box<RawValue> {
    RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned())
}
