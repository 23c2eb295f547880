//! Plans: what billing says of subscriptions, in whatever order it comes and however often, and what operators say.

use ingest::publish::Publisher;
use runtime::Settings;
use runtime::http::micros_rfc3339;
use schemas::Event;
use schemas::events::{PlanChanged, PlanSource, PlanStatus};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::datetime;
use uuid::Uuid;
use verify::resources::Resources;

use super::play::outgoing;
use crate::harness::{Client, Random, same};

const BEGIN: OffsetDateTime = datetime!(2026-03-01 00:00 UTC);
const DAY: i64 = 86_400_000_000;

/// Without limits, so that nothing else of a history is refused.
const PLANS: [&str; 2] = ["gold", "silver"];
/// The last one is what operators say.
const SUBSCRIPTIONS: [&str; 3] = ["sub_1", "sub_2", ""];

fn day(number: usize) -> i64 {
    (BEGIN.unix_timestamp_nanos() / 1000) as i64 + number as i64 * DAY
}

pub fn draw(random: &mut Random) -> PlanChanged {
    let subscription = *random.pick(&SUBSCRIPTIONS);
    let status = *random.pick(&[PlanStatus::Active, PlanStatus::Active, PlanStatus::PastDue, PlanStatus::Cancelled]);
    // Days that have been long ago, or that these tests will not see.
    let ends_at = random.percent(50).then(|| day(if random.percent(50) { 20 } else { 40_000 }));
    PlanChanged {
        plan: (*random.pick(&PLANS)).to_owned(),
        status,
        source: if subscription.is_empty() { PlanSource::Operator } else { PlanSource::Billing },
        cause: "drawn".to_owned(),
        subscription_id: subscription.to_owned(),
        customer_id: if subscription.is_empty() { String::new() } else { "cus_1".to_owned() },
        subscribed_at: day(random.below(3)),
        occurred_at: day(3 + random.below(6)),
        ends_at: if status == PlanStatus::Active { None } else { ends_at },
    }
}

/// What is delivered again is the same event.
pub async fn say(settings: &Settings, tenant: &str, said: &PlanChanged) -> Result<(), String> {
    let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{tenant}\0{said:?}").as_bytes());
    let outgoing = outgoing(tenant, PlanChanged::SUBJECT, id, Event::PlanChanged(said.clone()));
    let publisher = Publisher::new(settings).map_err(|cause| format!("{cause:#}"))?;
    publisher.append(vec![outgoing]).await.map(drop).map_err(|problem| problem.to_string())
}

/// What the tenant has now, which is the default's once it has ended.
pub async fn compare(client: &Client, tenant: &str, resources: &Resources) -> Result<(), String> {
    let now = (OffsetDateTime::now_utc().unix_timestamp_nanos() / 1000) as i64;
    let plans = resources.plans();
    let counts = plans.get(tenant);
    let time = |micros: Option<i64>| micros.map_or(Value::Null, |micros| json!(micros_rfc3339(micros)));
    let found = client.get("/api/v1/billing/plan").await.expect(200).json();
    let expected = match counts.filter(|change| change.ends_at.is_none_or(|end| end > now)) {
        Some(change) => json!({
            "plan": change.said.plan, "status": change.said.status.as_str(), "since": time(Some(change.since)),
            "ends_at": time(change.ends_at), "source": change.said.source.as_str(), "limits": found["limits"],
        }),
        None => json!({
            "plan": found["plan"], "status": "active", "since": time(counts.and_then(|change| change.ends_at)),
            "ends_at": null, "source": "default", "limits": found["limits"],
        }),
    };
    same(&expected, &found, "GET /api/v1/billing/plan")
}
