//! Price tables are immutable events, named by their hash.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PriceTablePublished {
    pub hash: String,
    pub scope: String,
    #[serde(with = "serde_bytes")]
    pub table: Vec<u8>,
}
