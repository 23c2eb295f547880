//! API keys: a current one and named ones of a user; the log holds hashes only.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteArray;
use uuid::Uuid;

use crate::sealing::Sealed;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApiKeyCreated {
    pub user: String,
    #[serde(default)]
    pub org: Option<String>,
    #[serde(default)]
    pub role: String,
    pub prefix: String,
    pub sha256: ByteArray<32>,
}

impl ApiKeyCreated {
    /// A current key brings no id.
    pub fn key_id(&self) -> Uuid {
        current_key_id(&self.sha256)
    }
}

/// What a current key is called in lists and in [`ApiKeyUsed`].
pub fn current_key_id(sha256: &[u8; 32]) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, sha256)
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApiKeyRevoked {
    pub user: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApiKeyIssued {
    pub key_id: String,
    pub user: String,
    #[serde(default)]
    pub org: Option<String>,
    pub role: String,
    pub prefix: String,
    pub sha256: ByteArray<32>,
    pub scopes: Vec<String>,
    /// Microseconds since 1970.
    #[serde(default)]
    pub expires_at: Option<i64>,
    pub at_most: i64,
    pub content: Sealed,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApiKeyChanged {
    pub key_id: String,
    pub user: String,
    pub version: i64,
    pub scopes: Vec<String>,
    #[serde(default)]
    pub expires_at: Option<i64>,
    /// None: the name stays.
    #[serde(default)]
    pub content: Option<Sealed>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApiKeyWithdrawn {
    pub key_id: String,
    pub user: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApiKeyUsed {
    pub key_id: String,
    pub user: String,
    pub role: String,
}

/// The sealed part of [`ApiKeyIssued`] and [`ApiKeyChanged`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ApiKeyContent {
    pub name: String,
}
