//! The answers.

use serde::Serialize;
use utoipa::ToSchema;

use crate::numbers::Number;

#[derive(Serialize, ToSchema)]
pub struct FailuresOut {
    pub project_id: Option<String>,
    pub from: String,
    pub to: String,
    /// The most frequent first
    pub clusters: Vec<FailureCluster>,
    /// Clusters with a failed trace in the period, listed or not
    pub cluster_count: u64,
    /// Failed traces in the period, listed or not
    pub total_failed: u64,
    /// There are more than 10,000 different errors: the rest of them is in `total_failed` only
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
}

#[derive(Serialize, ToSchema)]
pub struct FailureCluster {
    /// Of the pattern: the same in every call, whatever is asked
    pub id: String,
    /// The error's text with what varies masked
    pub pattern: String,
    /// Failed traces in the period
    pub count: u64,
    /// Of all failed traces in the period
    pub share: f64,
    /// The newest
    pub example_trace_ids: Vec<String>,
    /// Ever, up to the period's end, among the traces asked about
    pub first_seen: String,
    pub last_seen: String,
    /// Names of traces, the most affected first
    pub affected_names: Vec<String>,
    /// Not seen before the last `recent_hours`
    pub is_new: bool,
    /// Back in the last `recent_hours` after it was absent for seven days
    pub regressed: bool,
    pub trend: Vec<FailurePoint>,
}

#[derive(Serialize, ToSchema)]
pub struct FailurePoint {
    pub start: String,
    pub count: u64,
}

#[derive(Serialize, ToSchema)]
pub struct FailedTraces {
    pub id: String,
    pub pattern: String,
    /// The newest first
    pub traces: Vec<FailedTrace>,
    pub next_cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct FailedTrace {
    pub id: String,
    pub name: Option<String>,
    pub project_id: Option<String>,
    pub environment: Option<String>,
    pub user_id: Option<String>,
    pub session_id: Option<String>,
    pub started_at: String,
    #[schema(value_type = f64)]
    pub total_cost: Number,
    pub total_tokens: i64,
    /// The error's text with ids, numbers and the like masked
    pub error_signature: String,
}
