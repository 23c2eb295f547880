//! The answers.

use runtime::http::rfc3339;
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// The caller's current key.
#[derive(Serialize, ToSchema)]
pub struct ApiKeyOut {
    pub exists: bool,
    pub prefix: Option<String>,
    pub created_at: Option<String>,
    /// To about an hour
    pub last_used_at: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct NamedApiKeyOut {
    pub id: String,
    pub user_id: String,
    /// Its user's one that `POST /api-keys` replaces; it has no name
    pub is_current: bool,
    pub name: Option<String>,
    pub prefix: String,
    pub scopes: Vec<String>,
    pub role: String,
    pub version: i64,
    pub created_at: String,
    pub expires_at: Option<String>,
    /// To about an hour
    pub last_used_at: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct NamedApiKeyList {
    pub api_keys: Vec<NamedApiKeyOut>,
    pub total: u64,
    /// `at_least` where the total was not counted to its end
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_is: Option<&'static str>,
    pub limit: u64,
    pub offset: u64,
    pub next_cursor: Option<String>,
}

/// What is shown of a key.
pub const COLUMNS: &str =
    "key_id, user_id, is_current, name, prefix, scopes, role, version, created_at, expires_at, last_used_at";

#[derive(sqlx::FromRow)]
pub struct KeyRow {
    pub key_id: Uuid,
    pub user_id: String,
    pub is_current: bool,
    pub name: Option<String>,
    pub prefix: String,
    pub scopes: Vec<String>,
    pub role: String,
    pub version: i64,
    pub created_at: OffsetDateTime,
    pub expires_at: Option<OffsetDateTime>,
    pub last_used_at: Option<OffsetDateTime>,
}

impl From<KeyRow> for NamedApiKeyOut {
    fn from(row: KeyRow) -> NamedApiKeyOut {
        NamedApiKeyOut {
            id: row.key_id.to_string(),
            user_id: row.user_id,
            is_current: row.is_current,
            name: row.name,
            prefix: row.prefix,
            scopes: row.scopes,
            role: row.role,
            version: row.version,
            created_at: rfc3339(row.created_at),
            expires_at: row.expires_at.map(rfc3339),
            last_used_at: row.last_used_at.map(rfc3339),
        }
    }
}
