//! API keys: one current key a user; the log holds hashes only.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteArray;

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

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApiKeyRevoked {
    pub user: String,
}
