//! Plans, and billing against a server that speaks Dodo Payments' wire.

use std::time::{Duration, Instant};

use ingest::system::System;
use reqwest::Method;
use retrace_server::cli::PlansCommand;
use retrace_server::commands::plans;
use runtime::Settings;
use runtime::auth::Principal;
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::harness::dodo::{Dodo, Reply, Webhook, subscription};
use crate::harness::{Answer, Client, Retrace, eventually, free_port};

const CHECKOUT: &str = "/api/v1/billing/checkout";
const PORTAL: &str = "/api/v1/billing/portal";
const WEBHOOK: &str = "/api/v1/billing/webhook";
const PLAN: &str = "/api/v1/billing/plan";
const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const OLD_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const FOREIGN_SECRET: &str = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

pub fn sold(settings: &mut Settings, url: &str) {
    settings.dodo_url = format!("{url}/");
    settings.dodo_api_key = "a key of tests".into();
    settings.dodo_timeout_ms = 1_000;
    settings.dodo_webhook_secret = format!("{SECRET},{OLD_SECRET}");
    settings.dodo_products = "pro=pdt_pro,team=pdt_team".into();
    settings.billing_return_hosts = "app.example.com".into();
    settings.plan_default = "free".into();
}

async fn selling(dodo: &Dodo) -> Retrace {
    Retrace::with(|settings| sold(settings, &dodo.url)).await
}

/// What comes back with the webhooks of a subscription that the client buys.
async fn bought(dodo: &Dodo, client: &Client) -> Value {
    dodo.calls();
    client.post(CHECKOUT, &json!({"plan": "pro"})).await.expect(201);
    dodo.calls()[0].body["metadata"].clone()
}

/// Of a plan: its name, status, and whether it ends.
async fn plan(client: &Client, after: &Answer) -> (String, String, Option<String>) {
    let plan = client.get_after(PLAN, &after.position()).await.expect(200).json();
    let text = |name: &str| plan[name].as_str().map(str::to_owned);
    (text("plan").unwrap(), text("status").unwrap(), text("ends_at"))
}

fn is(name: &str, status: &str) -> (String, String, Option<String>) {
    (name.to_owned(), status.to_owned(), None)
}

/// This node has followed the log so far that it knows of a subscription.
async fn subscribed(client: &Client) -> String {
    let mut refused = String::new();
    eventually("the subscription", async || {
        let answer = client.post(CHECKOUT, &json!({"plan": "team"})).await;
        refused = if answer.status == 409 { answer.error() } else { String::new() };
        !refused.is_empty()
    })
    .await;
    refused
}

async fn role(retrace: &Retrace, user: &str, role: &str) -> Client {
    let pool = runtime::postgres::pool(&retrace.settings).unwrap();
    let system = System { settings: &retrace.settings, pool: &pool };
    let principal = Principal {
        tenant: "local".into(),
        user: user.into(),
        org: Some("local".into()),
        role: role.into(),
        key: None,
    };
    let key = system.create_key(&principal, None).await.unwrap();
    eventually("the key", async || system.knows_key(&key).await.unwrap()).await;
    retrace.client.with_key(&key)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkout_asks_for_the_product_and_says_whose_it_is() {
    let dodo = Dodo::start().await;
    let retrace = selling(&dodo).await;
    let client = &retrace.client;
    let body = json!({"plan": "pro", "return_url": "https://app.example.com/paid?x=1", "unknown": true});
    let session = client.post(CHECKOUT, &body).await.expect(201).json();
    assert_eq!(session["session_id"], "cks_Gi6KGJ2zFJo9rq9Ukifwa");
    assert!(session["checkout_url"].as_str().unwrap().starts_with("https://test.checkout.dodopayments.com/session/"));
    let calls = dodo.calls();
    let call = &calls[0];
    assert_eq!((calls.len(), call.authorization.as_str()), (1, "Bearer a key of tests"));
    assert_eq!(call.body["product_cart"], json!([{"product_id": "pdt_pro", "quantity": 1}]));
    assert_eq!(call.body["return_url"], "https://app.example.com/paid?x=1");
    assert_eq!(call.body["metadata"]["retrace_tenant"], "local");
    assert!(call.body["metadata"]["retrace_token"].is_string() && call.body.get("customer").is_none());

    client.post(CHECKOUT, &json!({"plan": "team", "return_url": "/settings"})).await.expect(201);
    let back = dodo.calls()[0].body["return_url"].as_str().unwrap().to_owned();
    assert!(back.starts_with("http://") && back.ends_with("/settings"), "{back}");

    let return_url = "return_url is neither a path nor a URL of a host in the setting billing_return_hosts";
    for (body, fault) in [
        (json!({}), "plan is missing".to_owned()),
        (json!({"plan": 3}), "plan is not text".to_owned()),
        (json!({"plan": "free"}), "plan is not one of those for sale: pro, team".to_owned()),
        (json!({"plan": "pro", "return_url": "https://evil.example.com"}), return_url.to_owned()),
        (
            json!({"plan": "x", "return_url": "//evil"}),
            format!("{return_url}; plan is not one of those for sale: pro, team"),
        ),
        (json!({"plan": "pro", "return_url": 1}), "return_url is not text".to_owned()),
    ] {
        assert_eq!(client.post(CHECKOUT, &body).await.expect(400).error(), fault);
    }
    // A retry is the first one's answer, and opens no second session.
    assert_eq!(dodo.calls().len(), 0);
    let once = [("idempotency-key", "k")];
    let send =
        async |body: &Value| client.send(Method::POST, CHECKOUT, &once, Some(body.to_string().into_bytes())).await;
    let first = send(&json!({"plan": "pro"})).await.expect(201).json();
    assert_eq!((send(&json!({"plan": "pro"})).await.expect(201).json(), dodo.calls().len()), (first, 1));
    send(&json!({"plan": "team"})).await.expect(409);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn owners_and_admins_buy_and_others_do_not() {
    let dodo = Dodo::start().await;
    let retrace = selling(&dodo).await;
    let (admin, member, viewer) = (
        role(&retrace, "ada", "admin").await,
        role(&retrace, "mia", "member").await,
        role(&retrace, "vic", "viewer").await,
    );
    for path in [CHECKOUT, PORTAL] {
        let said = member.post(path, &json!({"plan": "pro"})).await.expect(403).error();
        assert_eq!(said, "The role member does not allow this: it takes an owner or an admin");
        viewer.post(path, &json!({"plan": "pro"})).await.expect(403);
        retrace.client.with_key("").post(path, &json!({})).await.expect(401);
    }
    admin.post(CHECKOUT, &json!({"plan": "pro"})).await.expect(201);
    assert_eq!(dodo.calls().len(), 1);
    assert_eq!(viewer.get(PLAN).await.expect(200).json()["plan"], "free");
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_move_the_plan_of_who_has_bought() {
    let dodo = Dodo::start().await;
    let retrace = selling(&dodo).await;
    let client = &retrace.client;
    let before = client.get(PLAN).await.expect(200).json();
    assert_eq!(
        (&before["plan"], &before["source"], &before["since"]),
        (&json!("free"), &json!("default"), &Value::Null)
    );
    assert_eq!(before["limits"], json!({"traces": 5_000, "spans": 50_000, "ai_requests": 100}));
    let refused = client.post(PORTAL, &json!({})).await.expect(409).error();
    assert!(refused.starts_with("Nothing was bought yet"), "{refused}");

    let metadata = bought(&dodo, client).await;
    let tell = async |id: &str, kind: &str, at: &str, changes: Value| {
        let told = Webhook::new(id, SECRET, kind, at, &subscription("sub_1", &metadata, changes));
        told.send(client).await.expect(200)
    };
    let active = tell("msg_1", "subscription.active", "2026-01-14T13:26:02.854Z", json!({})).await;
    assert_eq!(active.json(), json!({"received": true, "ignored": null}));
    assert_eq!(plan(client, &active).await, is("pro", "active"));
    let shown = client.get(PLAN).await.expect(200).json();
    assert_eq!((&shown["source"], &shown["since"]), (&json!("billing"), &json!("2026-01-14T13:26:02.854000Z")));
    assert_eq!(shown["limits"], json!({"traces": 100_000, "spans": 1_000_000, "ai_requests": 2_000}));
    // It is paid for already; the portal changes it.
    let refused = subscribed(client).await;
    assert!(refused.starts_with("There is a subscription already"), "{refused}");
    dodo.calls();
    let portal = client.send(Method::POST, PORTAL, &[], None).await.expect(200).json();
    assert_eq!(portal["portal_url"], "https://test.customer.dodopayments.com/login/token/cus_1");
    let call = &dodo.calls()[0];
    let path = "/customers/cus_1/customer-portal/session";
    assert_eq!((call.path.as_str(), call.authorization.as_str()), (path, "Bearer a key of tests"));

    let changed = json!({"product_id": "pdt_team"});
    let team = tell("msg_2", "subscription.plan_changed", "2026-01-20T10:00:00Z", changed).await;
    assert_eq!(plan(client, &team).await, is("team", "active"));
    // What was told late is of before; and so is what comes again, whatever it says by then.
    let late = tell("msg_3", "subscription.renewed", "2026-01-15T10:00:00Z", json!({})).await;
    assert_eq!(plan(client, &late).await, is("team", "active"));
    let again = json!({"product_id": "pdt_pro", "status": "expired"});
    let again = tell("msg_2", "subscription.plan_changed", "2026-01-20T10:00:00Z", again).await;
    assert_eq!(plan(client, &again).await, is("team", "active"));
    // The audit has each once, and who has told it.
    retrace.settled().await;
    let told = client.get("/api/v1/audit-logs/export?type=plan").await.expect(200).json();
    let told = told["audit_logs"].as_array().unwrap();
    assert_eq!(told.len(), 3, "{told:?}");
    for entry in told {
        assert_eq!((&entry["user_id"], &entry["auth"]), (&json!("dodo"), &json!("webhook")));
    }
    // Of others nothing has changed.
    let stranger = retrace.key_of("elsewhere", "eve").await;
    assert_eq!(stranger.get(PLAN).await.expect(200).json()["plan"], "free");
    retrace.assert_exact().await;
    retrace.rebuild_workspace().await;
    assert_eq!(plan(client, &again).await, is("team", "active"));
    retrace.assert_exact().await;
    // A node that starts now knows it from the projection.
    let retrace = retrace.restart().await;
    retrace.client.post(CHECKOUT, &json!({"plan": "pro"})).await.expect(409);
    retrace.client.post(PORTAL, &json!({})).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_ends_as_the_subscription_does() {
    let dodo = Dodo::start().await;
    let retrace = selling(&dodo).await;
    let client = &retrace.client;
    let metadata = bought(&dodo, client).await;
    let mut told = 0;
    let mut tell = async |kind: &str, at: &str, changes: Value| {
        told += 1;
        let data = subscription("sub_1", &metadata, changes);
        Webhook::new(&format!("msg_{told}"), SECRET, kind, at, &data).send(client).await.expect(200)
    };
    let now = OffsetDateTime::now_utc();
    let at = |seconds: i64| runtime::http::rfc3339(now + time::Duration::seconds(seconds));
    let active = tell("subscription.active", &at(0), json!({})).await;
    assert_eq!(plan(client, &active).await, is("pro", "active"));
    subscribed(client).await;

    // A payment fails: the plan goes on for a week, and a second failure does not make it longer.
    let failed = tell("payment.failed", &at(1), json!({})).await;
    assert_eq!(failed.json()["ignored"], "It says nothing of a subscription");
    let held = tell("subscription.on_hold", &at(2), json!({"status": "on_hold"})).await;
    let week = Some(at(2 + 7 * 86_400));
    assert_eq!(plan(client, &held).await, ("pro".into(), "past_due".into(), week.clone()));
    let held = tell("subscription.updated", &at(60), json!({"status": "on_hold"})).await;
    assert_eq!(plan(client, &held).await, ("pro".into(), "past_due".into(), week));
    client.post(CHECKOUT, &json!({"plan": "pro"})).await.expect(409);
    let paid = tell("subscription.active", &at(70), json!({})).await;
    assert_eq!(plan(client, &paid).await, is("pro", "active"));
    // A week after a failure of long ago it is over.
    let gone = tell("subscription.past_due", &at(71), json!({"status": "past_due", "past_due_ends_at": at(-1)})).await;
    assert_eq!(plan(client, &gone).await, is("free", "active"));

    let ending = json!({"cancel_at_next_billing_date": true, "cancelled_at": at(80)});
    let cancelled = tell("subscription.cancelled", &at(80), ending).await;
    let end = Some("2099-02-14T13:26:02.873000Z".to_owned());
    assert_eq!(plan(client, &cancelled).await, ("pro".into(), "cancelled".into(), end));
    let kept = tell("subscription.updated", &at(90), json!({})).await;
    assert_eq!(plan(client, &kept).await, is("pro", "active"));

    // Money that is given back: a part of it changes nothing, all of it ends the plan.
    let refund = |is_partial: bool| json!({"refund_id": "ref_1", "payment_id": "pay_1", "is_partial": is_partial});
    let part = tell("refund.succeeded", &at(100), refund(true)).await;
    assert_eq!(part.json()["ignored"], "A part of a payment was given back");
    assert_eq!(plan(client, &kept).await, is("pro", "active"));
    let all = tell("refund.succeeded", &at(-1), refund(false)).await;
    assert_eq!(plan(client, &all).await, is("pro", "active"), "before it was paid again");
    let all = tell("refund.succeeded", &at(110), refund(false)).await;
    let ended = client.get_after(PLAN, &all.position()).await.expect(200).json();
    // It has happened in a moment to come, as the test's clock has it.
    assert_eq!(
        (&ended["plan"], &ended["status"], &ended["ends_at"]),
        (&json!("pro"), &json!("cancelled"), &json!(at(110)))
    );
    tell("dispute.lost", &at(111), json!({})).await;

    let at_once =
        tell("subscription.cancelled", &at(120), json!({"status": "cancelled", "cancelled_at": at(-5)})).await;
    assert_eq!(plan(client, &at_once).await, is("free", "active"));
    // Who comes back is the same customer.
    dodo.calls();
    client.post(CHECKOUT, &json!({"plan": "team"})).await.expect(201);
    assert_eq!(dodo.calls()[0].body["customer"], json!({"customer_id": "cus_1"}));
    let younger = json!({"created_at": "2026-06-01T00:00:00Z", "product_id": "pdt_team"});
    let data = subscription("sub_2", &metadata, younger);
    let anew = Webhook::new("msg_anew", SECRET, "subscription.active", &at(130), &data).send(client).await.expect(200);
    assert_eq!(plan(client, &anew).await, is("team", "active"));
    // That the old one expires is nothing to it.
    let expired = tell("subscription.expired", &at(140), json!({"status": "expired"})).await;
    assert_eq!(plan(client, &expired).await, is("team", "active"));
    retrace.assert_exact().await;
    retrace.rebuild_workspace().await;
    assert_eq!(plan(client, &expired).await, is("team", "active"));
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_dodo_has_not_signed_is_refused() {
    let dodo = Dodo::start().await;
    let retrace = selling(&dodo).await;
    let client = &retrace.client;
    let metadata = bought(&dodo, client).await;
    let data = subscription("sub_1", &metadata, json!({}));
    let good = Webhook::new("msg_1", SECRET, "subscription.active", "2026-01-14T13:26:02Z", &data);
    let changed = |change: fn(&mut Webhook)| {
        let mut webhook = good.clone();
        change(&mut webhook);
        webhook
    };
    for (webhook, status, fault) in [
        (changed(|w| w.secret = FOREIGN_SECRET), 401, "The webhook's signature is not valid"),
        (changed(|w| w.signature = Some("v1,".into())), 401, "The webhook's signature is not valid"),
        (changed(|w| w.signature = Some("v2,abc".into())), 400, "The header webhook-signature is missing"),
        (changed(|w| w.signature = Some(String::new())), 400, "The header webhook-signature is missing"),
        (changed(|w| w.timestamp -= 301), 401, "The webhook's timestamp is too far from now"),
        (changed(|w| w.timestamp += 310), 401, "The webhook's timestamp is too far from now"),
        (changed(|w| w.id.clear()), 400, "The header webhook-id is missing"),
        (changed(|w| w.body = "{}".into()), 400, "The webhook is not one of Dodo Payments"),
        (changed(|w| w.body = "x".repeat((256 << 10) + 1)), 413, "The body cannot be read, or is longer than"),
    ] {
        let refused = webhook.send(client).await.expect(status).error();
        assert!(refused.starts_with(fault), "{refused}");
    }
    // What was signed is what was sent, to the byte.
    let mut moved = good.clone();
    moved.signature = Some(good.sign());
    moved.body.push(' ');
    moved.send(client).await.expect(401);
    client.with_key("").post(WEBHOOK, &json!({})).await.expect(400);
    // Metadata that no checkout of ours has made: a payment link's, or another tenant's name beside a token.
    for forged in [json!({"retrace_tenant": "local"}), json!({"retrace_token": "AAAA"}), json!({})] {
        let data = subscription("sub_9", &forged, json!({}));
        let told = Webhook::new("msg_9", SECRET, "subscription.active", "2026-01-14T13:26:02Z", &data);
        let ignored = told.send(client).await.expect(200).json()["ignored"].as_str().unwrap().to_owned();
        assert_eq!(ignored, "The subscription sub_9 was not bought by a checkout of this server");
    }
    // It was paid for, so that it is to come again.
    let data = subscription("sub_1", &metadata, json!({"product_id": "pdt_new"}));
    let unknown = Webhook::new("msg_7", SECRET, "subscription.active", "2026-01-14T13:26:02Z", &data);
    let said = unknown.send(client).await.expect(503).error();
    assert_eq!(said, "The setting dodo_products does not name the product pdt_new");
    assert_eq!(client.get(PLAN).await.expect(200).json()["plan"], "free");
    // The secret before, and several signatures.
    let old = changed(|w| w.secret = OLD_SECRET);
    let several = Webhook { signature: Some(format!("v1,AAAA {} v1a,x", old.sign())), ..old };
    let taken = several.send(client).await.expect(200);
    assert_eq!(plan(client, &taken).await, is("pro", "active"));
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_dodo_does_there_is_an_answer() {
    let dodo = Dodo::start().await;
    let retrace = selling(&dodo).await;
    let client = &retrace.client;
    let error = |status: u16| Reply::Status(status, json!({"code": "SOMETHING", "message": "no"}));
    for (reply, calls, said) in [
        (error(500), 1, "Dodo Payments gave no answer: it refused with status 500"),
        (error(429), 1, "Dodo Payments gave no answer: it refused with status 429"),
        (error(422), 1, "Dodo Payments gave no answer: it refused with status 422"),
        (error(401), 1, "Dodo Payments refuses this server's key"),
        (Reply::Status(200, json!([])), 1, "Dodo Payments gave no answer: its answer is not as documented"),
        (
            Reply::Status(200, json!({"session_id": "s", "checkout_url": "x"})),
            1,
            "Dodo Payments gave no answer: its answer",
        ),
        (Reply::Status(200, json!("x".repeat(300_000))), 1, "Dodo Payments gave no answer: its answer is not as"),
        (Reply::Status(302, json!({})), 1, "Dodo Payments gave no answer: it refused with status 302"),
        (Reply::Late(Duration::from_secs(20)), 1, "Dodo Payments gave no answer: it did not answer within 1 s"),
    ] {
        dodo.will(&[reply]);
        let started = Instant::now();
        let refused = client.post(CHECKOUT, &json!({"plan": "pro"})).await.expect(503).error();
        assert!(refused.starts_with(said), "{refused}");
        assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
        assert_eq!(dodo.calls().len(), calls, "{said}");
    }
    let metadata = bought(&dodo, client).await;
    let data = subscription("sub_1", &metadata, json!({}));
    Webhook::new("msg_1", SECRET, "subscription.active", "2026-01-14T13:26:02Z", &data).send(client).await.expect(200);
    eventually("the customer", async || {
        dodo.will(&[error(404)]);
        let refused = client.post(PORTAL, &json!({})).await.expect(409).error();
        refused == "Dodo Payments does not know the customer any more"
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_sells_nothing_says_so() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let not_set_up = |setting: &str| format!("Billing is not set up on this server: the setting {setting} is empty");
    for path in [CHECKOUT, PORTAL] {
        assert_eq!(client.post(path, &json!({"plan": "pro"})).await.expect(503).error(), not_set_up("dodo_api_key"));
    }
    assert_eq!(client.post(WEBHOOK, &json!({})).await.expect(503).error(), not_set_up("dodo_webhook_secret"));
    let plan = client.get(PLAN).await.expect(200).json();
    assert_eq!((&plan["plan"], &plan["status"]), (&json!("unlimited"), &json!("active")));
    assert_eq!(plan["limits"], json!({"traces": null, "spans": null, "ai_requests": null}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_not_there_is_said() {
    let nowhere = format!("http://127.0.0.1:{}", free_port());
    let retrace = Retrace::with(|settings| sold(settings, &nowhere)).await;
    let refused = retrace.client.post(CHECKOUT, &json!({"plan": "pro"})).await.expect(503).error();
    assert_eq!(refused, "Dodo Payments gave no answer: it cannot be reached");
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_are_limited_by_address() {
    let dodo = Dodo::start().await;
    let retrace = Retrace::with(|settings| {
        sold(settings, &dodo.url);
        settings.rate_webhook_per_minute = 60;
        settings.rate_webhook_burst = 2;
    })
    .await;
    for _ in 0..2 {
        retrace.client.with_key("").post(WEBHOOK, &json!({})).await.expect(400);
    }
    let refused = retrace.client.with_key("").post(WEBHOOK, &json!({})).await.expect(429);
    assert_eq!(refused.headers["retry-after"], "1");
    retrace.client.get(PLAN).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_gives_plans_and_takes_them_back() {
    let dodo = Dodo::start().await;
    let retrace = selling(&dodo).await;
    let client = &retrace.client;
    let metadata = bought(&dodo, client).await;
    let data = subscription("sub_1", &metadata, json!({}));
    let now = || runtime::http::rfc3339(OffsetDateTime::now_utc());
    let told = Webhook::new("msg_1", SECRET, "subscription.active", &now(), &data).send(client).await.expect(200);
    assert_eq!(plan(client, &told).await, is("pro", "active"));
    let run = async |command| plans::run(&retrace.settings, command).await;
    let set = |plan: &str| PlansCommand::Set { tenant: "local".into(), plan: plan.into() };
    run(set("enterprise")).await.unwrap();
    retrace.settled().await;
    let shown = client.get(PLAN).await.expect(200).json();
    assert_eq!((&shown["plan"], &shown["source"]), (&json!("enterprise"), &json!("operator")));
    // What is bought meanwhile goes on to be paid, and changes nothing.
    let renewed = Webhook::new("msg_2", SECRET, "subscription.renewed", &now(), &data).send(client).await.expect(200);
    assert_eq!(plan(client, &renewed).await, is("enterprise", "active"));
    run(PlansCommand::List { tenant: None }).await.unwrap();
    run(PlansCommand::List { tenant: Some("local".into()) }).await.unwrap();
    run(PlansCommand::Clear { tenant: "local".into() }).await.unwrap();
    retrace.settled().await;
    assert_eq!(client.get(PLAN).await.expect(200).json()["plan"], "pro");
    let refused = run(set("platinum")).await.unwrap_err().to_string();
    assert!(refused.starts_with("`platinum` is not one of the setting `plans`: enterprise, free, pro"), "{refused}");
    retrace.assert_exact().await;
    retrace.rebuild_workspace().await;
    assert_eq!(client.get(PLAN).await.expect(200).json()["plan"], "pro");
    retrace.assert_exact().await;
}
