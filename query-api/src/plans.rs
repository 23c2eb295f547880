//! The plan that a tenant has now.

use runtime::plans::{Plan, Plans, Standing};
use time::OffsetDateTime;

/// With its limits. A plan that has ended is the default's again since then.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    pub plan: Plan,
    pub status: &'static str,
    pub since: Option<OffsetDateTime>,
    pub ends_at: Option<OffsetDateTime>,
    /// `billing`, `operator` or `default`
    pub source: &'static str,
}

impl Held {
    pub fn of(plans: &Plans, standing: Option<&Standing>, now: OffsetDateTime) -> Held {
        let plan = plans.in_force(standing, now);
        match standing.filter(|standing| standing.holds(now)) {
            Some(standing) => Held {
                plan,
                status: standing.status.as_str(),
                since: Some(standing.since),
                ends_at: standing.ends_at,
                source: standing.source.as_str(),
            },
            None => Held {
                plan,
                status: "active",
                since: standing.and_then(|standing| standing.ends_at),
                ends_at: None,
                source: "default",
            },
        }
    }
}
