//! A webhook's body → what it says of a plan (docs/SEMANTICS.md, "What Dodo Payments tells").
//!
//! `data` is the subscription as it is when the webhook is sent, `timestamp` when what it tells of has happened. So the
//! subscription's own status counts, not the name of the event.

use std::time::Duration;

use axum::http::StatusCode;
use runtime::Problem;
use runtime::plans::{Plans, Standing};
use schemas::events::{PlanChanged, PlanSource, PlanStatus};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

const LONGEST_ID: usize = 256;

/// What is known of tenants, subscriptions and products.
pub struct Known<'a> {
    pub plans: &'a Plans,
    pub grace: Duration,
    /// By the metadata of a checkout of ours.
    pub tenant: &'a dyn Fn(&Value) -> Option<String>,
    /// Whose a subscription is that the log has told of, and how it stands.
    pub subscription: &'a dyn Fn(&str) -> Option<(String, Standing)>,
    /// Who a customer is, and how its last subscription stands.
    pub customer: &'a dyn Fn(&str) -> Option<(String, Standing)>,
}

#[derive(Debug, PartialEq)]
pub enum Said {
    Plan { tenant: String, change: PlanChanged },
    Nothing { kind: String, why: String },
}

#[derive(Deserialize)]
struct Webhook<'a> {
    #[serde(rename = "type")]
    kind: String,
    timestamp: String,
    #[serde(borrow)]
    data: &'a RawValue,
}

#[derive(Deserialize)]
struct Subscription {
    subscription_id: String,
    product_id: String,
    status: String,
    customer: Customer,
    created_at: String,
    #[serde(default)]
    metadata: Value,
    #[serde(default)]
    cancel_at_next_billing_date: bool,
    #[serde(default)]
    next_billing_date: Option<String>,
    #[serde(default)]
    cancelled_at: Option<String>,
    #[serde(default)]
    past_due_ends_at: Option<String>,
}

#[derive(Deserialize)]
struct Refund {
    customer: Customer,
    #[serde(default)]
    is_partial: bool,
}

#[derive(Deserialize)]
struct Customer {
    customer_id: String,
}

pub fn read(body: &[u8], known: &Known<'_>) -> Result<Said, Problem> {
    let webhook: Webhook<'_> = serde_json::from_slice(body).map_err(malformed)?;
    let kind = id(webhook.kind, "type")?;
    let occurred_at = micros(&webhook.timestamp, "timestamp")?;
    if kind == "refund.succeeded" {
        return refunded(kind, occurred_at, serde_json::from_str(webhook.data.get()).map_err(malformed)?, known);
    }
    if kind.starts_with("subscription.") {
        return subscribed(kind, occurred_at, serde_json::from_str(webhook.data.get()).map_err(malformed)?, known);
    }
    Ok(Said::Nothing { kind, why: "It says nothing of a subscription".to_owned() })
}

fn subscribed(kind: String, occurred_at: i64, subscription: Subscription, known: &Known<'_>) -> Result<Said, Problem> {
    let nothing = |why: String| Ok(Said::Nothing { kind: kind.clone(), why });
    let subscription_id = id(subscription.subscription_id.clone(), "data.subscription_id")?;
    let before = (known.subscription)(&subscription_id);
    let tenant = (known.tenant)(&subscription.metadata).or_else(|| before.as_ref().map(|(tenant, _)| tenant.clone()));
    let Some(tenant) = tenant else {
        return nothing(format!("The subscription {subscription_id} was not bought by a checkout of this server"));
    };
    let Some((status, ends_at)) = standing(&subscription, occurred_at, known.grace)? else {
        return nothing(format!("A subscription that is {} gives and takes nothing", subscription.status));
    };
    let sold = known.plans.plan_of(&subscription.product_id).map(str::to_owned);
    // What ends may be of a product that is not sold any more.
    let plan = sold.or_else(|| before.filter(|_| status == PlanStatus::Cancelled).map(|(_, standing)| standing.plan));
    let plan = plan.ok_or_else(|| unknown_product(&subscription.product_id))?;
    let change = PlanChanged {
        plan,
        status,
        source: PlanSource::Billing,
        cause: kind,
        subscription_id,
        customer_id: id(subscription.customer.customer_id, "data.customer.customer_id")?,
        subscribed_at: micros(&subscription.created_at, "data.created_at")?,
        occurred_at,
        ends_at,
    };
    Ok(Said::Plan { tenant, change })
}

/// Who has got all of the money back has the plan no more, until the subscription is paid again.
fn refunded(kind: String, occurred_at: i64, refund: Refund, known: &Known<'_>) -> Result<Said, Problem> {
    let why = |why: &str| Ok(Said::Nothing { kind: kind.clone(), why: why.to_owned() });
    if refund.is_partial {
        return why("A part of a payment was given back");
    }
    let Some((tenant, standing)) = (known.customer)(&refund.customer.customer_id) else {
        return why("The customer has bought nothing by a checkout of this server");
    };
    let change = PlanChanged {
        plan: standing.plan,
        status: PlanStatus::Cancelled,
        source: PlanSource::Billing,
        cause: kind,
        subscription_id: standing.subscription_id,
        customer_id: standing.customer_id,
        subscribed_at: since_1970(standing.subscribed_at)?,
        occurred_at,
        ends_at: Some(occurred_at),
    };
    Ok(Said::Plan { tenant, change })
}

/// The status of the plan, and until when it is had. None: it was never had.
fn standing(
    subscription: &Subscription,
    occurred_at: i64,
    grace: Duration,
) -> Result<Option<(PlanStatus, Option<i64>)>, Problem> {
    let at = |text: &Option<String>, field| text.as_deref().map(|text| micros(text, field)).transpose();
    let after_grace = occurred_at.saturating_add(i64::try_from(grace.as_micros()).unwrap_or(i64::MAX));
    let next = at(&subscription.next_billing_date, "data.next_billing_date")?;
    let (status, ends_at) = match subscription.status.as_str() {
        "active" | "cancelled" if subscription.cancel_at_next_billing_date => {
            (PlanStatus::Cancelled, next.unwrap_or(occurred_at))
        }
        "active" => return Ok(Some((PlanStatus::Active, None))),
        "past_due" => {
            let ends_at = at(&subscription.past_due_ends_at, "data.past_due_ends_at")?;
            (PlanStatus::PastDue, ends_at.unwrap_or(after_grace))
        }
        "on_hold" => (PlanStatus::PastDue, after_grace),
        "cancelled" => {
            (PlanStatus::Cancelled, at(&subscription.cancelled_at, "data.cancelled_at")?.unwrap_or(occurred_at))
        }
        "expired" | "paused" => (PlanStatus::Cancelled, occurred_at),
        _ => return Ok(None),
    };
    Ok(Some((status, Some(ends_at))))
}

/// It was paid for: Dodo sends it again for a day, and until then the settings can be mended.
fn unknown_product(product: &str) -> Problem {
    tracing::error!(product, "a subscription to a product that the setting `dodo_products` does not name");
    let message = format!("The setting dodo_products does not name the product {product}");
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, message)
}

fn malformed(cause: serde_json::Error) -> Problem {
    Problem::bad_request(format!("The webhook is not one of Dodo Payments: {cause}"))
}

fn id(text: String, field: &str) -> Result<String, Problem> {
    if text.is_empty() || text.len() > LONGEST_ID || !text.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Problem::bad_request(format!("{field} is not 1 to {LONGEST_ID} visible characters")));
    }
    Ok(text)
}

/// Since 1970.
fn micros(text: &str, field: &str) -> Result<i64, Problem> {
    let time = OffsetDateTime::parse(text, &Rfc3339);
    since_1970(time.map_err(|_| Problem::bad_request(format!("{field} is not an RFC 3339 time")))?)
}

fn since_1970(time: OffsetDateTime) -> Result<i64, Problem> {
    i64::try_from(time.unix_timestamp_nanos().div_euclid(1000)).map_err(Problem::internal)
}

#[cfg(test)]
mod tests {
    use runtime::Settings;
    use serde_json::json;

    use super::*;

    const AT: &str = "2026-01-14T13:26:02.854Z";
    const DAY: i64 = 86_400_000_000;

    fn told(kind: &str, changes: Value) -> Result<Said, Problem> {
        let settings = Settings { dodo_products: "pro=pdt_1,team=pdt_2".to_owned(), ..Settings::default() };
        let plans = Plans::of(&settings).unwrap();
        let mut data = json!({
            "payload_type": "Subscription", "subscription_id": "sub_1", "product_id": "pdt_1", "status": "active",
            "customer": {"customer_id": "cus_1", "email": "ann@example.com", "name": "Ann"},
            "created_at": "2026-01-14T13:25:43.118Z", "metadata": {"t": "acme"}, "cancel_at_next_billing_date": false,
            "cancelled_at": null, "next_billing_date": "2026-02-14T13:26:02.873Z",
        });
        for (name, value) in changes.as_object().unwrap() {
            data[name] = value.clone();
        }
        let body = json!({"business_id": "bus_1", "type": kind, "timestamp": AT, "data": data}).to_string();
        let known = Known {
            plans: &plans,
            grace: Duration::from_secs(7 * 86_400),
            tenant: &|metadata| metadata.get("t")?.as_str().map(str::to_owned),
            subscription: &|id| (id == "sub_known").then(|| ("acme".to_owned(), old())),
            customer: &|id| (id == "cus_known").then(|| ("acme".to_owned(), old())),
        };
        read(body.as_bytes(), &known)
    }

    fn old() -> Standing {
        Standing::said(&PlanChanged {
            plan: "old".to_owned(),
            status: PlanStatus::Active,
            source: PlanSource::Billing,
            cause: "subscription.active".to_owned(),
            subscription_id: "sub_known".to_owned(),
            customer_id: "cus_known".to_owned(),
            subscribed_at: 7,
            occurred_at: 8,
            ends_at: None,
        })
    }

    fn change(kind: &str, changes: Value) -> PlanChanged {
        match told(kind, changes).unwrap() {
            Said::Plan { tenant, change } => {
                assert_eq!(tenant, "acme");
                change
            }
            Said::Nothing { why, .. } => panic!("{why}"),
        }
    }

    fn at(text: &str) -> i64 {
        micros(text, "").unwrap()
    }

    #[test]
    fn the_subscriptions_status_says_how_the_plan_stands() {
        use PlanStatus::{Active, Cancelled, PastDue};
        let next = Some(at("2026-02-14T13:26:02.873Z"));
        let now = Some(at(AT));
        for (kind, changes, status, ends_at) in [
            ("subscription.active", json!({}), Active, None),
            ("subscription.renewed", json!({}), Active, None),
            ("subscription.on_hold", json!({"status": "on_hold"}), PastDue, Some(at(AT) + 7 * DAY)),
            ("subscription.past_due", json!({"status": "past_due"}), PastDue, Some(at(AT) + 7 * DAY)),
            (
                "subscription.past_due",
                json!({"status": "past_due", "past_due_ends_at": "2026-02-14T13:26:02.873Z"}),
                PastDue,
                next,
            ),
            ("subscription.cancelled", json!({"cancel_at_next_billing_date": true}), Cancelled, next),
            (
                "subscription.cancelled",
                json!({"status": "cancelled", "cancel_at_next_billing_date": true}),
                Cancelled,
                next,
            ),
            ("subscription.cancelled", json!({"status": "cancelled"}), Cancelled, now),
            (
                "subscription.cancelled",
                json!({"status": "cancelled", "cancelled_at": "2026-01-14T13:26:00Z"}),
                Cancelled,
                Some(at("2026-01-14T13:26:00Z")),
            ),
            ("subscription.expired", json!({"status": "expired"}), Cancelled, now),
            ("subscription.paused", json!({"status": "paused"}), Cancelled, now),
            // Sent late: it has been paid for since.
            ("subscription.on_hold", json!({}), Active, None),
        ] {
            let change = change(kind, changes.clone());
            assert_eq!((change.status, change.ends_at), (status, ends_at), "{kind} {changes}");
            assert_eq!((change.plan.as_str(), change.cause.as_str(), change.occurred_at), ("pro", kind, at(AT)));
            assert_eq!((change.customer_id.as_str(), change.subscribed_at), ("cus_1", at("2026-01-14T13:25:43.118Z")));
        }
        assert_eq!(change("subscription.plan_changed", json!({"product_id": "pdt_2"})).plan, "team");
    }

    #[test]
    fn what_concerns_no_plan_is_taken_and_left() {
        for (kind, changes, why) in [
            ("payment.failed", json!({}), "It says nothing of a subscription"),
            ("dispute.lost", json!({}), "It says nothing of a subscription"),
            ("refund.failed", json!({}), "It says nothing of a subscription"),
            ("refund.succeeded", json!({"is_partial": true}), "A part of a payment was given back"),
            ("refund.succeeded", json!({"is_partial": false}), "The customer has bought nothing by a checkout"),
            (
                "subscription.active",
                json!({"metadata": {}}),
                "The subscription sub_1 was not bought by a checkout of this server",
            ),
            ("subscription.active", json!({"metadata": null}), "The subscription sub_1 was not bought"),
            ("subscription.updated", json!({"status": "pending"}), "A subscription that is pending gives and takes"),
            ("subscription.failed", json!({"status": "failed"}), "A subscription that is failed gives and takes"),
        ] {
            match told(kind, changes).unwrap() {
                Said::Nothing { kind: told, why: said } => assert!(told == kind && said.starts_with(why), "{said}"),
                Said::Plan { change, .. } => panic!("{change:?}"),
            }
        }
    }

    #[test]
    fn a_known_subscription_needs_no_metadata_and_ends_without_a_product() {
        let known = json!({"subscription_id": "sub_known", "metadata": {}});
        assert_eq!(change("subscription.renewed", known.clone()).plan, "pro");
        let mut ended = known;
        ended["product_id"] = json!("pdt_gone");
        ended["status"] = json!("expired");
        assert_eq!(change("subscription.expired", ended.clone()).plan, "old");
        ended["status"] = json!("active");
        let refused = told("subscription.renewed", ended).unwrap_err();
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(refused.message, "The setting dodo_products does not name the product pdt_gone");
    }

    #[test]
    fn a_full_refund_ends_the_last_subscription_of_the_customer() {
        let refund = json!({"refund_id": "ref_1", "is_partial": false, "customer": {"customer_id": "cus_known"}});
        let change = change("refund.succeeded", refund);
        assert_eq!((change.plan.as_str(), change.status), ("old", PlanStatus::Cancelled));
        assert_eq!((change.subscription_id.as_str(), change.subscribed_at), ("sub_known", 7));
        assert_eq!((change.occurred_at, change.ends_at), (at(AT), Some(at(AT))));
    }

    #[test]
    fn what_cannot_be_read_is_said_by_its_field() {
        for (changes, fault) in [
            (json!({"subscription_id": ""}), "data.subscription_id is not 1 to 256 visible characters"),
            (json!({"customer": {"customer_id": "a\u{0}"}}), "data.customer.customer_id is not 1 to 256 visible"),
            (json!({"created_at": "yesterday"}), "data.created_at is not an RFC 3339 time"),
            (json!({"product_id": null}), "The webhook is not one of Dodo Payments: invalid type: null"),
        ] {
            let refused = told("subscription.active", changes).unwrap_err();
            assert!(refused.status == StatusCode::BAD_REQUEST && refused.message.starts_with(fault), "{refused}");
        }
    }
}
