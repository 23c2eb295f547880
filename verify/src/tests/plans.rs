//! "Plans".

use schemas::events::{PlanChanged, PlanSource, PlanStatus};

use super::*;
use crate::resources::{Outcome, PlanChange};

/// What `subscription` is said to be: its plan and status, when, and until when.
fn said(subscription: &str, (plan, status): (&str, PlanStatus), occurred_at: i64, ends_at: Option<i64>) -> PlanChanged {
    PlanChanged {
        plan: plan.to_owned(),
        status,
        source: if subscription.is_empty() { PlanSource::Operator } else { PlanSource::Billing },
        cause: "subscription.updated".to_owned(),
        subscription_id: subscription.to_owned(),
        customer_id: "cus".to_owned(),
        // The longer the name, the younger.
        subscribed_at: subscription.len() as i64,
        occurred_at,
        ends_at,
    }
}

impl Log {
    fn word(&mut self, event: PlanChanged) -> Uuid {
        let id = ids::event_id();
        self.append(id, &Event::PlanChanged(event));
        id
    }

    fn plan(&self) -> PlanChange {
        self.fold.resources(None).plans()[TENANT].clone()
    }

    fn has(&self) -> (String, PlanStatus) {
        let plan = self.plan();
        (plan.said.plan, plan.said.status)
    }
}

const ACTIVE: PlanStatus = PlanStatus::Active;
const PAST_DUE: PlanStatus = PlanStatus::PastDue;
const CANCELLED: PlanStatus = PlanStatus::Cancelled;

fn plan(name: &str, status: PlanStatus) -> (String, PlanStatus) {
    (name.to_owned(), status)
}

#[test]
fn of_what_is_said_of_a_subscription_the_newest_counts() {
    let mut log = Log::new();
    let first = log.word(said("s", ("pro", ACTIVE), 20, None));
    let second = log.word(said("s", ("team", ACTIVE), 10, None));
    assert_eq!(log.has(), plan("pro", ACTIVE));
    // At the same time the later one in the log.
    log.word(said("s", ("pro", CANCELLED), 20, Some(30)));
    assert_eq!((log.has(), log.plan().ends_at), (plan("pro", CANCELLED), Some(30)));
    let resources = log.fold.resources(None);
    assert_eq!(resources.plan_changes[TENANT].len(), 3);
    let outcome = |version| Outcome { status: 200, version: Some(version), resource: None, reason: None };
    assert_eq!((&resources.outcomes[&first], &resources.outcomes[&second]), (&outcome(1), &outcome(2)));
}

#[test]
fn a_plan_and_status_are_had_since_they_began_and_so_is_a_grace() {
    let mut log = Log::new();
    log.word(said("s", ("pro", ACTIVE), 10, None));
    log.word(said("s", ("pro", ACTIVE), 20, None));
    assert_eq!((log.plan().since, log.plan().said.occurred_at), (10, 20));
    log.word(said("s", ("pro", PAST_DUE), 30, Some(37)));
    log.word(said("s", ("pro", PAST_DUE), 32, Some(39)));
    assert_eq!((log.plan().since, log.plan().ends_at), (30, Some(37)));
    log.word(said("s", ("pro", ACTIVE), 33, None));
    assert_eq!((log.plan().since, log.plan().ends_at), (33, None));
    log.word(said("s", ("pro", CANCELLED), 40, Some(50)));
    log.word(said("s", ("pro", CANCELLED), 41, Some(45)));
    assert_eq!((log.plan().since, log.plan().ends_at), (40, Some(45)));
}

#[test]
fn what_goes_on_counts_before_what_is_past_due_and_that_before_what_ends() {
    let mut log = Log::new();
    log.word(said("s", ("pro", ACTIVE), 10, None));
    log.word(said("ss", ("team", ACTIVE), 20, None));
    assert_eq!(log.has(), plan("team", ACTIVE));
    // That the older one ends is nothing to the younger, nor is that it goes on.
    log.word(said("s", ("pro", CANCELLED), 30, Some(30)));
    assert_eq!(log.has(), plan("team", ACTIVE));
    log.word(said("s", ("pro", ACTIVE), 40, None));
    assert_eq!(log.has(), plan("team", ACTIVE));
    log.word(said("ss", ("team", PAST_DUE), 50, Some(57)));
    assert_eq!(log.has(), plan("pro", ACTIVE));
    log.word(said("s", ("pro", CANCELLED), 60, Some(60)));
    assert_eq!(log.has(), plan("team", PAST_DUE));
}

#[test]
fn an_operators_word_is_a_subscription_of_that_moment() {
    let mut log = Log::new();
    log.word(said("s", ("pro", ACTIVE), 10, None));
    let by_hand = |plan, status, at| PlanChanged { subscribed_at: at, ..said("", (plan, status), at, None) };
    log.word(by_hand("enterprise", ACTIVE, 20));
    log.word(said("s", ("pro", ACTIVE), 30, None));
    assert_eq!(log.has(), plan("enterprise", ACTIVE));
    log.word(by_hand("unlimited", CANCELLED, 40));
    assert_eq!(log.has(), plan("pro", ACTIVE));
}

#[test]
fn an_event_that_comes_again_changes_no_plan() {
    let mut log = Log::new();
    let id = log.word(said("s", ("pro", ACTIVE), 10, None));
    log.append(id, &Event::PlanChanged(said("s", ("team", ACTIVE), 99, None)));
    assert_eq!(log.has(), plan("pro", ACTIVE));
    assert_eq!(log.fold.resources(None).plan_changes[TENANT].len(), 1);
}

#[test]
fn a_tenant_has_its_own_plan() {
    let mut log = Log::new();
    log.word(said("s", ("pro", ACTIVE), 10, None));
    log.append_as("other", ids::event_id(), &Event::PlanChanged(said("t", ("team", ACTIVE), 20, None)));
    assert_eq!(log.has(), plan("pro", ACTIVE));
    assert_eq!(log.fold.resources(None).plans()["other"].said.plan, "team");
}
