//! What ingest holds in memory: API keys, price tables and plans in force. A snapshot from Postgres, then the log itself.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use runtime::Settings;
use runtime::auth::keyring::{self, KeyRing, Snapshot};
use runtime::kafka::{Received, follow};
use runtime::plans::{Plan, Plans};
use runtime::position::Record;
use schemas::{Event, topics};
use sqlx::PgPool;
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::plans::Subscriptions;
use crate::price_tables::PriceTables;

pub struct InForce {
    pub keys: Arc<KeyRing>,
    prices: RwLock<PriceTables>,
    plans: Plans,
    subscriptions: RwLock<Subscriptions>,
    /// Partition of the workspace topic → next offset to follow.
    followed: watch::Sender<HashMap<i32, i64>>,
}

impl InForce {
    /// Reads the snapshot and starts to follow the log after it.
    pub async fn start(settings: &Settings, pool: &PgPool, stop: CancellationToken) -> anyhow::Result<Arc<InForce>> {
        let read = async {
            Ok((Snapshot::read(pool).await?, PriceTables::read(pool).await?, Subscriptions::read(pool).await?))
        };
        let (snapshot, prices, subscriptions) = keyring::or_nothing(read.await)?;
        let keys = Arc::new(KeyRing::default());
        let from = keys.begin(snapshot);
        let in_force = Arc::new(InForce {
            keys,
            prices: RwLock::new(prices),
            plans: Plans::of(settings)?,
            subscriptions: RwLock::new(subscriptions),
            followed: watch::Sender::new(from.clone()),
        });
        let (applied, keys) = (Arc::clone(&in_force), Arc::clone(&in_force.keys));
        follow::follow(
            settings,
            topics::WORKSPACE,
            "workspace",
            from.into_iter().collect(),
            stop,
            move |record, event| applied.apply(record, &event),
            move || keys.complete(),
        )?;
        in_force.keys.completed().await;
        Ok(in_force)
    }

    fn apply(&self, record: &Received, event: &Event) {
        self.keys.apply(&record.envelope, event);
        if let Event::PriceTablePublished(table) = event
            && let Ok(mut prices) = self.prices.write()
        {
            prices.publish(table.scope.clone(), table.hash.clone());
        }
        if let Event::PlanChanged(changed) = event
            && let Ok(mut subscriptions) = self.subscriptions.write()
        {
            subscriptions.apply(&record.envelope.tenant, record.envelope.id, changed);
        }
        self.followed.send_modify(|followed| {
            followed.insert(record.partition, record.offset + 1);
        });
    }

    /// Names of the price tables for a tenant, most specific first.
    pub fn price_tables(&self, tenant: &str) -> String {
        self.prices.read().map(|prices| prices.of(tenant)).unwrap_or_default()
    }

    /// What a tenant may use a month, as far as this process has followed the log.
    pub fn plan_of(&self, tenant: &str) -> Plan {
        let of =
            |subscriptions: &Subscriptions| self.plans.in_force(subscriptions.of(tenant), OffsetDateTime::now_utc());
        self.subscriptions.read().map_or_else(|_| self.plans.default_plan().clone(), |subscriptions| of(&subscriptions))
    }

    /// The plans that there are.
    pub fn plans(&self) -> &Plans {
        &self.plans
    }

    /// What is known of subscriptions.
    pub(crate) fn subscriptions<T: Default>(&self, look: impl FnOnce(&Subscriptions) -> T) -> T {
        self.subscriptions.read().map(|subscriptions| look(&subscriptions)).unwrap_or_default()
    }

    /// Waits, bounded, until this process has applied a record.
    pub async fn followed(&self, record: Record) {
        let mut followed = self.followed.subscribe();
        let reached = followed.wait_for(|next| next.get(&record.partition).is_some_and(|next| *next > record.offset));
        if tokio::time::timeout(Duration::from_secs(5), reached).await.is_err() {
            tracing::warn!(partition = record.partition, offset = record.offset, "the follower lags");
        }
    }
}
