//! How the subscriptions of tenants stand: as the projection has it, and what the log says after it.

use std::collections::HashMap;

use runtime::plans::{COLUMNS, Standing};
use schemas::events::{PlanChanged, PlanSource, PlanStatus};
use sqlx::{AssertSqlSafe, FromRow, PgPool, Row};
use uuid::Uuid;

/// Of one moment of one subscription; the provider tells a handful.
const MOST_SEEN: usize = 64;

#[derive(Clone, Debug, Default)]
pub struct Subscriptions {
    /// Tenant → subscription → how it stands.
    tenants: HashMap<String, HashMap<String, Known>>,
    /// Subscription → tenant.
    owners: HashMap<String, String>,
    /// Customer → tenant.
    customers: HashMap<String, String>,
}

#[derive(Clone, Debug)]
struct Known {
    standing: Standing,
    /// The events of the newest moment: an older one that comes again changes nothing anyway.
    seen: Vec<Uuid>,
}

impl Subscriptions {
    /// As far as the projection knows.
    pub async fn read(pool: &PgPool) -> Result<Subscriptions, sqlx::Error> {
        let schema = runtime::postgres::live_schema(pool, "workspace").await?;
        let rows = sqlx::query(AssertSqlSafe(format!(
            "SELECT tenant, event_id, {COLUMNS} FROM (
                 SELECT *, max(occurred_at) OVER (PARTITION BY tenant, subscription_id) AS newest
                 FROM {schema}.plan_changes
             ) AS changes
             WHERE occurred_at = newest ORDER BY tenant, number"
        )))
        .fetch_all(pool)
        .await?;
        let mut subscriptions = Subscriptions::default();
        for row in rows {
            let tenant: String = row.try_get("tenant")?;
            subscriptions.keep(&tenant, row.try_get("event_id")?, Standing::from_row(&row)?);
        }
        Ok(subscriptions)
    }

    /// What the log says of a plan, as the projection takes it.
    pub fn apply(&mut self, tenant: &str, event_id: Uuid, event: &PlanChanged) {
        let known = self.tenants.get(tenant).and_then(|known| known.get(&event.subscription_id));
        if known.is_some_and(|known| known.seen.contains(&event_id)) {
            return;
        }
        if let Some(standing) = Standing::said(event).after(known.map(|known| &known.standing)) {
            self.keep(tenant, event_id, standing);
        }
    }

    fn keep(&mut self, tenant: &str, event_id: Uuid, standing: Standing) {
        if !standing.subscription_id.is_empty() {
            self.owners.insert(standing.subscription_id.clone(), tenant.to_owned());
            self.customers.insert(standing.customer_id.clone(), tenant.to_owned());
        }
        let subscriptions = self.tenants.entry(tenant.to_owned()).or_default();
        let known = subscriptions
            .entry(standing.subscription_id.clone())
            .or_insert_with(|| Known { standing: standing.clone(), seen: Vec::new() });
        if known.standing.occurred_at != standing.occurred_at {
            known.seen.clear();
        }
        if known.seen.len() == MOST_SEEN {
            known.seen.remove(0);
        }
        known.seen.push(event_id);
        known.standing = standing;
    }

    fn standings(&self, tenant: &str) -> impl Iterator<Item = &Standing> {
        self.tenants.get(tenant).into_iter().flat_map(|known| known.values().map(|known| &known.standing))
    }

    /// The subscription that the tenant's plan is that of.
    pub fn of(&self, tenant: &str) -> Option<&Standing> {
        Standing::that_counts(self.standings(tenant))
    }

    /// Whose a subscription is, and how it stands.
    pub fn find(&self, subscription: &str) -> Option<(&str, &Standing)> {
        let tenant = self.owners.get(subscription)?;
        let known = self.tenants.get(tenant)?.get(subscription)?;
        Some((tenant, &known.standing))
    }

    /// Who a customer is, and how its last subscription stands.
    pub fn last_of(&self, customer: &str) -> Option<(&str, &Standing)> {
        let tenant = self.customers.get(customer)?;
        let bought = self.standings(tenant).filter(|standing| standing.customer_id == customer);
        bought.max_by_key(|standing| standing.subscribed_at).map(|standing| (tenant.as_str(), standing))
    }

    /// What the provider calls the tenant: by its last subscription.
    pub fn customer_of(&self, tenant: &str) -> Option<&str> {
        let bought = self.standings(tenant).filter(|standing| standing.source == PlanSource::Billing);
        bought.max_by_key(|standing| standing.subscribed_at).map(|standing| standing.customer_id.as_str())
    }

    /// Whether the tenant pays for a plan again and again.
    pub fn is_subscribed(&self, tenant: &str) -> bool {
        let mut bought = self.standings(tenant).filter(|standing| standing.source == PlanSource::Billing);
        bought.any(|standing| standing.status != PlanStatus::Cancelled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(plan: &str, status: PlanStatus, occurred_at: i64) -> PlanChanged {
        PlanChanged {
            plan: plan.to_owned(),
            status,
            source: PlanSource::Billing,
            cause: "subscription.updated".to_owned(),
            subscription_id: "sub".to_owned(),
            customer_id: "cus".to_owned(),
            subscribed_at: 1,
            occurred_at,
            ends_at: None,
        }
    }

    #[test]
    fn an_event_that_comes_again_changes_nothing() {
        let mut subscriptions = Subscriptions::default();
        let (first, second) = (Uuid::from_u128(1), Uuid::from_u128(2));
        subscriptions.apply("acme", first, &said("pro", PlanStatus::Active, 10));
        subscriptions.apply("acme", second, &said("team", PlanStatus::Active, 10));
        // The provider sends how things stand when it sends, so that the same event can say something else.
        subscriptions.apply("acme", first, &said("free", PlanStatus::Cancelled, 10));
        assert_eq!(subscriptions.of("acme").unwrap().plan, "team");
        let whose = |found: Option<(&str, &Standing)>| found.map(|(tenant, one)| (tenant.to_owned(), one.plan.clone()));
        assert_eq!(whose(subscriptions.find("sub")), Some(("acme".to_owned(), "team".to_owned())));
        assert_eq!(whose(subscriptions.last_of("cus")), whose(subscriptions.find("sub")));
        assert_eq!(subscriptions.customer_of("acme"), Some("cus"));
        assert!(subscriptions.is_subscribed("acme") && !subscriptions.is_subscribed("other"));
        subscriptions.apply("acme", Uuid::from_u128(3), &said("team", PlanStatus::Cancelled, 11));
        assert!(!subscriptions.is_subscribed("acme"));
    }
}
