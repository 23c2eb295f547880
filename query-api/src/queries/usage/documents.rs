//! What `/usage` answers.

use serde::Serialize;
use utoipa::ToSchema;

use crate::numbers::Number;

#[derive(Serialize, ToSchema)]
pub struct UsageOut {
    pub plan: String,
    /// The first of the month, UTC
    pub period_start: String,
    /// The first of the next month, when the counts begin again; not part of the period
    pub period_end: String,
    /// Ids that were recorded for the first time in the period. A deletion takes none away
    pub traces: UsedOf,
    pub spans: UsedOf,
    /// Questions that a language model has answered
    pub ai_requests: UsedOf,
    /// Bytes of inputs, outputs and other payloads in the store now, before compression; what a later write has replaced
    /// counts until the store merges it away
    pub storage_bytes: u64,
}

#[derive(Serialize, ToSchema)]
pub struct UsedOf {
    pub used: i64,
    /// Of the plan; null where it has none
    pub limit: Option<u64>,
}

#[derive(Serialize, ToSchema)]
pub struct DailyUsageOut {
    /// The last 30 days, today's (UTC) last
    pub days: Vec<DayUsage>,
}

#[derive(Serialize, ToSchema)]
pub struct DayUsage {
    /// YYYY-MM-DD, UTC: when it was ingested, not when it ran
    pub date: String,
    pub traces: i64,
    pub spans: i64,
    pub tokens: i64,
    #[schema(value_type = f64)]
    pub cost: Number,
}

/// For ingest, which holds them against the plan.
#[derive(Serialize, ToSchema)]
pub struct MonthCounts {
    /// The month's first day, YYYY-MM-DD
    pub month: String,
    pub traces: i64,
    pub spans: i64,
    pub ai_requests: i64,
}
