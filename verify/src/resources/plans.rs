//! "Plans".

use std::collections::BTreeMap;

use schemas::events::{PlanChanged, PlanStatus};
use uuid::Uuid;

use super::{Command, Outcome, Resources, done};

/// One thing that was said of a tenant's plan. Times are microseconds since 1970.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanChange {
    pub event_id: Uuid,
    pub received_at: i64,
    pub said: PlanChanged,
    /// Since when the subscription has this plan and status.
    pub since: i64,
    /// As it holds: a grace that began before goes on.
    pub ends_at: Option<i64>,
}

impl Resources {
    pub(super) fn change_plan(&mut self, command: &Command<'_>, event: &PlanChanged) -> Outcome {
        let changes = self.plan_changes.entry(command.tenant.to_owned()).or_default();
        let mut change = PlanChange {
            event_id: command.id,
            received_at: command.time,
            said: event.clone(),
            since: event.occurred_at,
            ends_at: event.ends_at,
        };
        if let Some(before) = newest(changes, &event.subscription_id)
            && event.occurred_at >= before.said.occurred_at
            && event.plan == before.said.plan
            && event.status == before.said.status
        {
            change.since = before.since;
            if event.status == PlanStatus::PastDue {
                change.ends_at = before.ends_at;
            }
        }
        changes.push(change);
        done(200, i64::try_from(changes.len()).ok())
    }

    /// What each tenant has now.
    pub fn plans(&self) -> BTreeMap<String, &PlanChange> {
        let plans = self.plan_changes.iter();
        plans.filter_map(|(tenant, changes)| Some((tenant.clone(), counts(changes)?))).collect()
    }
}

/// Of the newest words on the subscriptions the one that counts.
fn counts(changes: &[PlanChange]) -> Option<&PlanChange> {
    let mut best: Option<&PlanChange> = None;
    for change in changes {
        let is_newest = newest(changes, &change.said.subscription_id).is_some_and(|last| std::ptr::eq(last, change));
        if is_newest && best.is_none_or(|best| is_before(&change.said, &best.said)) {
            best = Some(change);
        }
    }
    best
}

/// The last word on a subscription, by when it happened.
fn newest<'a>(changes: &'a [PlanChange], subscription: &str) -> Option<&'a PlanChange> {
    let mut newest: Option<&PlanChange> = None;
    for change in changes.iter().filter(|change| change.said.subscription_id == subscription) {
        if newest.is_none_or(|newest| change.said.occurred_at >= newest.said.occurred_at) {
            newest = Some(change);
        }
    }
    newest
}

/// Whether one subscription counts rather than another.
fn is_before(one: &PlanChanged, other: &PlanChanged) -> bool {
    let place = |status| match status {
        PlanStatus::Active => 0,
        PlanStatus::PastDue => 1,
        PlanStatus::Cancelled => 2,
    };
    if place(one.status) != place(other.status) {
        return place(one.status) < place(other.status);
    }
    if one.subscribed_at != other.subscribed_at {
        return one.subscribed_at > other.subscribed_at;
    }
    one.subscription_id > other.subscription_id
}
