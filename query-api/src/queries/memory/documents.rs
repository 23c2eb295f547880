//! The answers, and the body of a search.

use runtime::http::rfc3339;
use schemas::events::memory::{CATEGORIES, SCOPES};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use time::OffsetDateTime;
use utoipa::ToSchema;
use utoipa::openapi::schema::SchemaType;
use utoipa::openapi::{ObjectBuilder, Type};
use uuid::Uuid;

#[derive(Serialize, ToSchema)]
pub struct MemoryOut {
    pub id: String,
    pub key: String,
    /// As it was sent
    #[schema(value_type = Value)]
    pub value: Box<RawValue>,
    /// `session`, `project` or `global`
    pub scope: String,
    /// `fact`, `preference`, `correction`, `pattern` or `instruction`
    pub category: String,
    /// 0 to 1
    pub confidence: f64,
    pub project_id: Option<String>,
    pub session_id: Option<String>,
    /// From then on it is not shown any more
    pub expires_at: Option<String>,
    /// How often it was stored
    pub version: i64,
    pub created_by: String,
    pub created_at: String,
    pub updated_by: String,
    pub updated_at: String,
}

#[derive(Serialize, ToSchema)]
pub struct MemoryList {
    pub memories: Vec<MemoryOut>,
    pub total: u64,
    /// `at_least` where the total was not counted to its end
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_is: Option<&'static str>,
    pub limit: u64,
    pub offset: u64,
    pub next_cursor: Option<String>,
}

/// Unknown fields are ignored.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct MemorySearchIn {
    #[schema(min_length = 1, max_length = 2_000, pattern = r"^[^\u0000]*$")]
    pub query: String,
    #[schema(schema_with = scope)]
    pub scope: Option<String>,
    #[schema(schema_with = category)]
    pub category: Option<String>,
    /// Exact id
    #[schema(min_length = 1, max_length = 512, pattern = r"^[^\u0000]*$")]
    pub project_id: Option<String>,
    /// Exact id
    #[schema(min_length = 1, max_length = 512, pattern = r"^[^\u0000]*$")]
    pub session_id: Option<String>,
    /// Default 10
    #[schema(minimum = 1, maximum = 100)]
    pub limit: Option<i64>,
}

fn scope() -> ObjectBuilder {
    one_of(SCOPES)
}

fn category() -> ObjectBuilder {
    one_of(CATEGORIES)
}

/// Null says that it is not asked for.
fn one_of(names: &[&str]) -> ObjectBuilder {
    let types = SchemaType::from_iter([Type::String, Type::Null]);
    let names = names.iter().map(|name| json!(name)).chain([Value::Null]);
    ObjectBuilder::new().schema_type(types).enum_values(Some(names))
}

#[derive(Serialize, ToSchema)]
pub struct MemoryFound {
    pub results: Vec<MemoryHit>,
}

#[derive(Serialize, ToSchema)]
pub struct MemoryHit {
    #[serde(flatten)]
    pub entry: MemoryOut,
    /// 0 to 1: how well it fits
    pub score: f64,
}

/// What is read of an entry: all but what search alone looks at.
pub const COLUMNS: &str = "memory_id, key, value, scope, category, confidence, project_id, session_id, expires_at, version, \
                           created_by, created_at, updated_by, updated_at";

#[derive(sqlx::FromRow)]
pub struct MemoryRow {
    pub memory_id: Uuid,
    pub key: String,
    pub value: String,
    pub scope: String,
    pub category: String,
    pub confidence: f64,
    pub project_id: Option<String>,
    pub session_id: Option<String>,
    pub expires_at: Option<OffsetDateTime>,
    pub version: i64,
    pub created_by: String,
    pub created_at: OffsetDateTime,
    pub updated_by: String,
    pub updated_at: OffsetDateTime,
}

impl From<MemoryRow> for MemoryOut {
    fn from(row: MemoryRow) -> MemoryOut {
        MemoryOut {
            id: row.memory_id.to_string(),
            key: row.key,
            // The command side has checked it.
            value: RawValue::from_string(row.value).unwrap_or_else(|_| RawValue::NULL.to_owned()),
            scope: row.scope,
            category: row.category,
            confidence: row.confidence,
            project_id: row.project_id,
            session_id: row.session_id,
            expires_at: row.expires_at.map(rfc3339),
            version: row.version,
            created_by: row.created_by,
            created_at: rfc3339(row.created_at),
            updated_by: row.updated_by,
            updated_at: rfc3339(row.updated_at),
        }
    }
}
