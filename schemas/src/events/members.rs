//! Members of a tenant: whoever has spoken for a user of it.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemberSeen {
    pub user: String,
    pub role: String,
}
