//! Events about the log itself.

use serde::{Deserialize, Serialize};

/// The first record of every partition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogCreated {
    pub log_id: String,
    pub epoch: i32,
    pub partitions: i32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContentsErased {
    pub keys: i64,
    pub upto: Vec<Frontier>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Frontier {
    pub partition: i32,
    pub offset: i64,
}
