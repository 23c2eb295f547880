//! A server that speaks the wire of Dodo Payments' API as far as the product uses it, and the webhooks that it would send.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use ring::hmac;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{Answer, Client};

/// What it does about a call; beyond those that are told it answers well.
#[derive(Clone)]
pub enum Reply {
    Status(u16, Value),
    Late(Duration),
}

/// A call that it got.
#[derive(Clone, Debug)]
pub struct Call {
    pub path: String,
    pub authorization: String,
    pub body: Value,
}

#[derive(Default)]
struct Shared {
    replies: Mutex<VecDeque<Reply>>,
    calls: Mutex<Vec<Call>>,
}

pub struct Dodo {
    pub url: String,
    shared: Arc<Shared>,
}

impl Dodo {
    pub async fn start() -> Dodo {
        let shared = Arc::new(Shared::default());
        let router = Router::new()
            .route("/checkouts", post(checkout))
            .route("/customers/{id}/customer-portal/session", post(portal))
            .with_state(Arc::clone(&shared));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Dodo { url, shared }
    }

    pub fn will(&self, replies: &[Reply]) {
        *self.shared.replies.lock().unwrap() = replies.iter().cloned().collect();
    }

    /// The calls since the last time.
    pub fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut *self.shared.calls.lock().unwrap())
    }
}

async fn checkout(State(shared): State<Arc<Shared>>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    let answer = json!({
        "session_id": "cks_Gi6KGJ2zFJo9rq9Ukifwa",
        "checkout_url": "https://test.checkout.dodopayments.com/session/cks_Gi6KGJ2zFJo9rq9Ukifwa",
        "client_secret": null, "payment_id": null, "publishable_key": null,
    });
    shared.answer("/checkouts".to_owned(), &headers, body, answer).await
}

async fn portal(State(shared): State<Arc<Shared>>, Path(customer): Path<String>, headers: HeaderMap) -> Response {
    let link = format!("https://test.customer.dodopayments.com/login/token/{customer}");
    let path = format!("/customers/{customer}/customer-portal/session");
    shared.answer(path, &headers, Value::Null, json!({"link": link})).await
}

impl Shared {
    async fn answer(&self, path: String, headers: &HeaderMap, body: Value, good: Value) -> Response {
        let authorization = headers.get("authorization").map(|key| key.to_str().unwrap().to_owned());
        self.calls.lock().unwrap().push(Call { path, authorization: authorization.unwrap_or_default(), body });
        let reply = self.replies.lock().unwrap().pop_front();
        match reply {
            None => Json(good).into_response(),
            Some(Reply::Status(status, body)) => (StatusCode::from_u16(status).unwrap(), Json(body)).into_response(),
            Some(Reply::Late(time)) => {
                tokio::time::sleep(time).await;
                Json(good).into_response()
            }
        }
    }
}

/// A subscription as webhooks have it; `changes` replace fields.
pub fn subscription(id: &str, metadata: &Value, changes: Value) -> Value {
    let mut subscription = json!({
        "payload_type": "Subscription", "subscription_id": id, "product_id": "pdt_pro", "status": "active",
        "addons": [], "billing": {"city": "a", "country": "IN", "state": "a", "street": "a", "zipcode": "560038"},
        "cancel_at_next_billing_date": false, "cancelled_at": null, "created_at": "2026-01-14T13:25:43.118Z",
        "currency": "USD", "customer": {"customer_id": "cus_1", "email": "ann@example.com", "name": "Ann"},
        "discount_id": null, "metadata": metadata, "next_billing_date": "2099-02-14T13:26:02.873Z", "on_demand": false,
        "payment_frequency_count": 1, "payment_frequency_interval": "Month",
        "previous_billing_date": "2026-01-14T13:25:43.118Z", "quantity": 1, "recurring_pre_tax_amount": 2900,
        "subscription_period_count": 10, "subscription_period_interval": "Year", "tax_inclusive": false,
        "trial_period_days": 0,
    });
    for (name, value) in changes.as_object().unwrap() {
        subscription[name] = value.clone();
    }
    subscription
}

/// A webhook that can be sent, as it is or changed.
#[derive(Clone)]
pub struct Webhook {
    pub id: String,
    pub timestamp: i64,
    pub secret: &'static str,
    pub body: String,
    /// In the place of the right one.
    pub signature: Option<String>,
}

impl Webhook {
    pub fn new(id: &str, secret: &'static str, kind: &str, at: &str, data: &Value) -> Webhook {
        let body = json!({"business_id": "bus_1", "type": kind, "timestamp": at, "data": data}).to_string();
        let timestamp = OffsetDateTime::now_utc().unix_timestamp();
        Webhook { id: id.to_owned(), timestamp, secret, body, signature: None }
    }

    /// As the specification of Standard Webhooks has it.
    pub fn sign(&self) -> String {
        let secret = STANDARD.decode(self.secret.strip_prefix("whsec_").unwrap()).unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        let content = format!("{}.{}.{}", self.id, self.timestamp, self.body);
        format!("v1,{}", STANDARD.encode(hmac::sign(&key, content.as_bytes())))
    }

    pub async fn send(&self, to: &Client) -> Answer {
        let signature = self.signature.clone().unwrap_or_else(|| self.sign());
        let timestamp = self.timestamp.to_string();
        let headers =
            [("webhook-id", self.id.as_str()), ("webhook-timestamp", &timestamp), ("webhook-signature", &signature)];
        let body = Some(self.body.clone().into_bytes());
        to.with_key("").send(Method::POST, "/api/v1/billing/webhook", &headers, body).await
    }
}
