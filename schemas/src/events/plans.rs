//! Plans: what billing, or an operator, says of a tenant's. All of it is in the clear.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanChanged {
    pub plan: String,
    pub status: PlanStatus,
    pub source: PlanSource,
    /// The provider's name for what happened; an operator's word.
    pub cause: String,
    /// The provider's; empty: an operator's.
    pub subscription_id: String,
    /// The provider's; empty: an operator's.
    pub customer_id: String,
    /// When the subscription was made: microseconds since 1970.
    pub subscribed_at: i64,
    /// As the provider says, whenever it was delivered: microseconds since 1970.
    pub occurred_at: i64,
    /// The plan holds until then: microseconds since 1970.
    #[serde(default)]
    pub ends_at: Option<i64>,
}

impl PlanChanged {
    /// What the log calls a tenant's plan.
    pub const SUBJECT: &str = "plan";
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanStatus {
    /// Goes on until something else is said.
    Active,
    /// A payment failed.
    PastDue,
    /// Does not go on.
    Cancelled,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanSource {
    Billing,
    Operator,
}

#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no word for a plan's status or source")]
pub struct UnknownWord(String);

impl PlanStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            PlanStatus::Active => "active",
            PlanStatus::PastDue => "past_due",
            PlanStatus::Cancelled => "cancelled",
        }
    }
}

impl PlanSource {
    pub fn as_str(self) -> &'static str {
        match self {
            PlanSource::Billing => "billing",
            PlanSource::Operator => "operator",
        }
    }
}

impl TryFrom<String> for PlanStatus {
    type Error = UnknownWord;

    fn try_from(text: String) -> Result<PlanStatus, UnknownWord> {
        let all = [PlanStatus::Active, PlanStatus::PastDue, PlanStatus::Cancelled];
        all.into_iter().find(|status| status.as_str() == text).ok_or(UnknownWord(text))
    }
}

impl TryFrom<String> for PlanSource {
    type Error = UnknownWord;

    fn try_from(text: String) -> Result<PlanSource, UnknownWord> {
        let all = [PlanSource::Billing, PlanSource::Operator];
        all.into_iter().find(|source| source.as_str() == text).ok_or(UnknownWord(text))
    }
}
