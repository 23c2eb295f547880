//! What the newest word on a subscription says, and which subscription of a tenant counts (docs/SEMANTICS.md, "Plans").

use std::cmp::Reverse;

use schemas::events::{PlanChanged, PlanSource, PlanStatus};
use time::OffsetDateTime;

/// Of the tables `plans` and `plan_changes`.
pub const COLUMNS: &str =
    "plan, status, source, subscription_id, customer_id, subscribed_at, occurred_at, since, ends_at";

/// How a subscription stands. What operators say is a subscription of its own, without an id.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct Standing {
    pub plan: String,
    #[sqlx(try_from = "String")]
    pub status: PlanStatus,
    #[sqlx(try_from = "String")]
    pub source: PlanSource,
    pub subscription_id: String,
    pub customer_id: String,
    pub subscribed_at: OffsetDateTime,
    pub occurred_at: OffsetDateTime,
    /// Since when it has this plan and status.
    pub since: OffsetDateTime,
    pub ends_at: Option<OffsetDateTime>,
}

impl Standing {
    /// By an event alone.
    pub fn said(event: &PlanChanged) -> Standing {
        Standing {
            plan: event.plan.clone(),
            status: event.status,
            source: event.source,
            subscription_id: event.subscription_id.clone(),
            customer_id: event.customer_id.clone(),
            subscribed_at: time(event.subscribed_at),
            occurred_at: time(event.occurred_at),
            since: time(event.occurred_at),
            ends_at: event.ends_at.map(time),
        }
    }

    /// How the subscription stands after what was `known` of it. None: what is said is older, and changes nothing.
    pub fn after(self, known: Option<&Standing>) -> Option<Standing> {
        let Some(known) = known else { return Some(self) };
        if self.occurred_at < known.occurred_at {
            return None;
        }
        if (&self.plan, self.status) != (&known.plan, known.status) {
            return Some(self);
        }
        // The grace after a failed payment begins once.
        let ends_at = if self.status == PlanStatus::PastDue { known.ends_at } else { self.ends_at };
        Some(Standing { since: known.since, ends_at, ..self })
    }

    /// Which of a tenant's subscriptions its plan is that of.
    pub fn that_counts<'a>(standings: impl IntoIterator<Item = &'a Standing>) -> Option<&'a Standing> {
        let rank =
            |standing: &&'a Standing| (Reverse(standing.status), standing.subscribed_at, &standing.subscription_id);
        standings.into_iter().max_by(|a, b| rank(a).cmp(&rank(b)))
    }

    /// Whether the plan is had at this time.
    pub fn holds(&self, now: OffsetDateTime) -> bool {
        self.ends_at.is_none_or(|ends_at| now < ends_at)
    }
}

/// The command side writes no other times than Postgres can hold.
fn time(micros: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(subscription: &str, (plan, status): (&str, PlanStatus), at: i64, ends_at: Option<i64>) -> Standing {
        Standing::said(&PlanChanged {
            plan: plan.to_owned(),
            status,
            source: PlanSource::Billing,
            cause: "subscription.updated".to_owned(),
            subscription_id: subscription.to_owned(),
            customer_id: "cus".to_owned(),
            subscribed_at: subscription.len() as i64,
            occurred_at: at,
            ends_at,
        })
    }

    #[test]
    fn a_grace_begins_once_and_the_newest_word_counts() {
        let late = ("pro", PlanStatus::PastDue);
        let first = said("s", late, 10, Some(20));
        let again = said("s", late, 15, Some(25)).after(Some(&first)).unwrap();
        assert_eq!((again.since, again.ends_at, again.occurred_at), (time(10), Some(time(20)), time(15)));
        assert_eq!(said("s", ("pro", PlanStatus::Active), 14, None).after(Some(&again)), None);
        let paid = said("s", ("pro", PlanStatus::Active), 15, None).after(Some(&again)).unwrap();
        assert_eq!((paid.since, paid.ends_at), (time(15), None));
        let later = said("s", late, 30, Some(40)).after(Some(&paid)).unwrap();
        assert_eq!(later.ends_at, Some(time(40)));
    }

    #[test]
    fn what_goes_on_counts_before_what_ends_and_then_the_younger() {
        let old = said("s", ("pro", PlanStatus::Active), 50, None);
        let young = said("ss", ("team", PlanStatus::Active), 20, None);
        let ended = said("sss", ("enterprise", PlanStatus::Cancelled), 60, Some(99));
        let late = said("ssss", ("free", PlanStatus::PastDue), 70, Some(99));
        let counts = |all: &[&Standing]| Standing::that_counts(all.iter().copied()).map(|one| one.plan.clone());
        assert_eq!(counts(&[&old, &young, &ended, &late]).as_deref(), Some("team"));
        assert_eq!(counts(&[&ended, &late, &old]).as_deref(), Some("pro"));
        assert_eq!(counts(&[&ended, &late]).as_deref(), Some("free"));
        assert_eq!(counts(&[]), None);
        assert!(ended.holds(time(98)) && !ended.holds(time(99)));
    }
}
