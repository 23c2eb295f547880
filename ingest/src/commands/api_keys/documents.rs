//! The bodies as the OpenAPI document shows them, and the two answers that show a key.

use serde::Serialize;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
pub struct ApiKeyCreatedOut {
    /// The only time the key is shown.
    pub key: String,
    pub prefix: String,
    pub created_at: String,
}

/// A key beside the user's current one.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct NamedApiKeyIn {
    /// 1 to 256 bytes; several keys may have one name
    pub name: String,
    /// Of `ingest` (records traces), `read`, `write` (both, and all other changes) and `admin` (whatever the role allows),
    /// at least one
    pub scopes: Vec<String>,
    /// RFC 3339, within the next ten years; default: it does not expire
    pub expires_at: Option<String>,
    /// `owner`, `admin`, `member` or `viewer`, none above yours, which is the default
    pub role: Option<String>,
}

/// What of a named key changes; at least one field.
#[derive(ToSchema)]
#[allow(dead_code, reason = "documentation")]
pub struct NamedApiKeyPatch {
    pub name: Option<String>,
    /// As a whole. Only owners and admins add to what they allow
    pub scopes: Option<Vec<String>>,
    /// RFC 3339, within the next ten years; `null`: it does not expire any more
    pub expires_at: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct NamedApiKeyCreatedOut {
    pub id: String,
    /// The only time the key is shown.
    pub key: String,
    pub prefix: String,
    pub name: String,
    pub scopes: Vec<String>,
    pub role: String,
    pub created_at: String,
    pub expires_at: Option<String>,
}
