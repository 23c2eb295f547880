//! What the installation itself appends: the bootstrap key and the shipped price table, each once, and what an operator's
//! command says.

use anyhow::Context;
use runtime::Settings;
use runtime::auth::{Principal, hash_key, new_key};
use runtime::plans::Plans;
use schemas::events::tapes::owner;
use schemas::events::{PlanChanged, PlanSource, PlanStatus, PriceTablePublished, TapeFeatured, TraceRepriced};
use schemas::{Envelope, Event, ids, prices, tapes, topics};
use sqlx::{AssertSqlSafe, PgPool};

use crate::commands::api_keys::created_event;
use crate::publish::{Outgoing, Publisher};

pub struct System<'a> {
    pub settings: &'a Settings,
    pub pool: &'a PgPool,
}

impl System<'_> {
    /// Makes `key` (or a new one) the current key of a user, and returns it.
    pub async fn create_key(&self, principal: &Principal, key: Option<&str>) -> anyhow::Result<String> {
        let key = match key {
            Some(key) => key.to_owned(),
            None => new_key(&self.settings.api_key_prefix)?,
        };
        let event = created_event(principal, &key, &self.settings.api_key_prefix);
        self.append(&principal.tenant, &principal.user, event).await?;
        Ok(key)
    }

    /// Whether the key is in force, as far as the projection knows.
    pub async fn knows_key(&self, key: &str) -> anyhow::Result<bool> {
        let schema = runtime::postgres::live_schema(self.pool, "workspace").await?;
        let sql = format!("SELECT EXISTS (SELECT FROM {schema}.api_keys WHERE sha256 = $1)");
        Ok(sqlx::query_scalar(AssertSqlSafe(sql)).bind(hash_key(key).as_slice()).fetch_one(self.pool).await?)
    }

    /// Whether the user has a current key.
    pub async fn has_key(&self, principal: &Principal) -> anyhow::Result<bool> {
        let schema = runtime::postgres::live_schema(self.pool, "workspace").await?;
        let sql =
            format!("SELECT EXISTS (SELECT FROM {schema}.api_keys WHERE tenant = $1 AND user_id = $2 AND is_current)");
        Ok(sqlx::query_scalar(AssertSqlSafe(sql))
            .bind(&principal.tenant)
            .bind(&principal.user)
            .fetch_one(self.pool)
            .await?)
    }

    /// Publishes a price table for every tenant or for one, unless it is the newest of its scope already.
    pub async fn publish_prices(&self, table: &str, scope: &str) -> anyhow::Result<bool> {
        prices::parse(table).map_err(anyhow::Error::msg)?;
        let hash = prices::hash(table);
        let schema = runtime::postgres::live_schema(self.pool, "workspace").await?;
        let sql = format!("SELECT hash FROM {schema}.price_tables WHERE scope = $1 ORDER BY at_offset DESC LIMIT 1");
        let newest: Option<String> =
            sqlx::query_scalar(AssertSqlSafe(sql)).bind(scope).fetch_optional(self.pool).await?;
        if newest.as_deref() == Some(&hash) {
            return Ok(false);
        }
        let compressed = zstd::bulk::compress(table.as_bytes(), 9).context("the price table cannot be compressed")?;
        let event =
            Event::PriceTablePublished(PriceTablePublished { hash, scope: scope.to_owned(), table: compressed });
        self.append(scope, "prices", event).await?;
        Ok(true)
    }

    /// Gives a tenant a plan, whatever it pays for, until something is bought after this. None: what it pays for counts
    /// again, else the default.
    pub async fn set_plan(&self, tenant: &str, plan: Option<&str>) -> anyhow::Result<()> {
        let plans = Plans::of(self.settings)?;
        let now = (time::OffsetDateTime::now_utc().unix_timestamp_nanos() / 1000) as i64;
        let named = plan.unwrap_or(&plans.default_plan().name);
        anyhow::ensure!(
            plans.find(named).is_some(),
            "`{named}` is not one of the setting `plans`: {}",
            plans.names().collect::<Vec<_>>().join(", ")
        );
        let event = PlanChanged {
            plan: named.to_owned(),
            status: if plan.is_some() { PlanStatus::Active } else { PlanStatus::Cancelled },
            source: PlanSource::Operator,
            cause: if plan.is_some() { "set" } else { "clear" }.to_owned(),
            subscription_id: String::new(),
            customer_id: String::new(),
            subscribed_at: now,
            occurred_at: now,
            ends_at: plan.is_none().then_some(now),
        };
        self.append(tenant, PlanChanged::SUBJECT, Event::PlanChanged(event)).await
    }

    /// Puts a tape among the featured ones, or takes it out; none: there is no such tape.
    pub async fn feature_tape(&self, slug: &str, featured: bool) -> anyhow::Result<Option<()>> {
        let Some(tape_id) = tapes::id(slug) else { return Ok(None) };
        let schema = runtime::postgres::live_schema(self.pool, "workspace").await?;
        let sql = format!("SELECT tenant FROM {schema}.tapes WHERE tape_id = $1::uuid");
        let tenant: Option<String> =
            sqlx::query_scalar(AssertSqlSafe(sql)).bind(&tape_id).fetch_optional(self.pool).await?;
        let Some(tenant) = tenant else { return Ok(None) };
        let subject = owner(&tape_id);
        self.append(&tenant, &subject, Event::TapeFeatured(TapeFeatured { tape_id, featured })).await.map(Some)
    }

    async fn append(&self, tenant: &str, subject: &str, event: Event) -> anyhow::Result<()> {
        let publisher = Publisher::new(self.settings)?;
        let envelope = envelope(tenant, subject, &event);
        let partition = topics::tenant_partition(tenant, topics::PARTITIONS);
        append(&publisher, vec![Outgoing { envelope, event, partition }]).await
    }
}

/// Prices traces of a tenant by other tables from now on; returns once every event is durable.
pub async fn reprice(publisher: &Publisher, tenant: &str, traces: &[String], tables: &str) -> anyhow::Result<()> {
    let outgoing = traces.iter().map(|trace_id| {
        let repriced = TraceRepriced { trace_id: trace_id.clone(), price_table: tables.to_owned() };
        let event = Event::TraceRepriced(repriced);
        let partition = topics::trace_partition(tenant, trace_id, topics::PARTITIONS);
        Outgoing { envelope: envelope(tenant, trace_id, &event), event, partition }
    });
    append(publisher, outgoing.collect()).await
}

async fn append(publisher: &Publisher, outgoing: Vec<Outgoing>) -> anyhow::Result<()> {
    let appended = publisher.append(outgoing).await;
    appended.map(drop).map_err(|problem| anyhow::anyhow!("the event was not appended: {problem}"))
}

fn envelope(tenant: &str, subject: &str, event: &Event) -> Envelope {
    Envelope {
        id: ids::event_id(),
        kind: event.kind().to_owned(),
        source: "/retrace/system".to_owned(),
        time: time::OffsetDateTime::now_utc(),
        subject: subject.to_owned(),
        tenant: tenant.to_owned(),
        actor: "system".to_owned(),
        request_id: String::new(),
        traceparent: None,
        client: None,
    }
}
