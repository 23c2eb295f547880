//! Rows of plans.

use std::collections::BTreeMap;

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::super::{PlanChange, Resources};
use super::{keyed, micros};
use crate::verify::Report;
use crate::workspace::both;

pub struct Rows {
    plans: BTreeMap<String, Shown>,
    /// By (tenant, number).
    changes: BTreeMap<(String, i64), ChangeRow>,
}

/// What a plan and the history of it have in common.
#[derive(Debug, PartialEq, sqlx::FromRow)]
struct Shown {
    plan: String,
    status: String,
    source: String,
    subscription_id: String,
    customer_id: String,
    subscribed_at: OffsetDateTime,
    occurred_at: OffsetDateTime,
    since: OffsetDateTime,
    ends_at: Option<OffsetDateTime>,
}

#[derive(sqlx::FromRow)]
struct ChangeRow {
    event_id: Uuid,
    cause: String,
    received_at: OffsetDateTime,
    #[sqlx(flatten)]
    shown: Shown,
}

/// The same of the fold, and of a row: text, and times in microseconds since 1970.
type Facts = ([String; 5], [i64; 3], Option<i64>);

impl Rows {
    pub async fn read(snapshot: &mut PgConnection, schema: &str) -> anyhow::Result<Rows> {
        let plans: Vec<((String,), Shown)> = keyed(&mut *snapshot, schema, "plans").await?;
        let changes: Vec<(Key, ChangeRow)> = keyed(snapshot, schema, "plan_changes").await?;
        Ok(Rows {
            plans: plans.into_iter().map(|((tenant,), row)| (tenant, row)).collect(),
            changes: changes.into_iter().map(|(key, row)| ((key.tenant, key.number), row)).collect(),
        })
    }

    pub fn compare(&self, expected: &Resources, report: &mut Report) {
        let plans = expected.plans();
        for tenant in both(&plans, &self.plans) {
            report.compared("plans");
            let (change, row) = (plans.get(tenant), self.plans.get(tenant));
            report.field("plans", tenant, "row", &change.copied().map(facts), &row.map(Shown::facts));
        }
        let changes: BTreeMap<(String, i64), &PlanChange> = expected
            .plan_changes
            .iter()
            .flat_map(|(tenant, changes)| {
                changes.iter().zip(1..).map(move |(change, number)| ((tenant.clone(), number), change))
            })
            .collect();
        for key in both(&changes, &self.changes) {
            let name = format!("{}/{}", key.0, key.1);
            report.compared("plan_changes");
            let (change, row) = (changes.get(key), self.changes.get(key));
            report.field("plan_changes", &name, "exists", &change.is_some(), &row.is_some());
            let (Some(change), Some(row)) = (change, row) else { continue };
            report.field("plan_changes", &name, "event_id", &change.event_id, &row.event_id);
            report.field("plan_changes", &name, "cause", &change.said.cause, &row.cause);
            report.field("plan_changes", &name, "received_at", &change.received_at, &micros(row.received_at));
            report.field("plan_changes", &name, "row", &facts(change), &row.shown.facts());
        }
    }
}

#[derive(sqlx::FromRow)]
struct Key {
    tenant: String,
    number: i64,
}

fn facts(change: &PlanChange) -> Facts {
    let said = &change.said;
    let texts = [&said.plan, said.status.as_str(), said.source.as_str(), &said.subscription_id, &said.customer_id]
        .map(str::to_owned);
    (texts, [said.subscribed_at, said.occurred_at, change.since], change.ends_at)
}

impl Shown {
    fn facts(&self) -> Facts {
        let texts =
            [&self.plan, &self.status, &self.source, &self.subscription_id, &self.customer_id].map(String::clone);
        (texts, [self.subscribed_at, self.occurred_at, self.since].map(micros), self.ends_at.map(micros))
    }
}
