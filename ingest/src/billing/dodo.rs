//! Dodo Payments' REST API, as far as it is used: checkout sessions and the customer portal.

use std::time::Duration;

use anyhow::{Context, ensure};
use reqwest::Url;
use runtime::Settings;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// A session and its URL are far smaller.
const LONGEST_BODY: usize = 256 << 10;
/// Of what the provider says of a refusal, for the log.
const LONGEST_MESSAGE: usize = 500;

pub struct Dodo {
    client: reqwest::Client,
    base: Url,
    key: String,
    timeout: Duration,
}

/// What a checkout is about.
pub struct Purchase<'a> {
    pub product: &'a str,
    /// Who has bought before.
    pub customer: Option<&'a str>,
    pub return_url: Option<&'a str>,
    /// Comes back with every webhook about the subscription.
    pub metadata: Value,
}

pub struct CheckoutSession {
    pub id: String,
    pub url: String,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error("it did not answer within {0} s")]
    Slow(f64),
    #[error("it cannot be reached")]
    Unreachable,
    #[error("it refused with status {0}")]
    Refused(u16),
    #[error("its answer is not as documented: {0}")]
    Malformed(String),
}

impl Dodo {
    /// None where no key is set.
    pub fn new(settings: &Settings) -> anyhow::Result<Option<Dodo>> {
        if settings.dodo_api_key.is_empty() {
            return Ok(None);
        }
        let base = Url::parse(&settings.dodo_url).context("the setting `dodo_url` is no URL")?;
        ensure!(is_page(&base), "the setting `dodo_url` is no URL of http or https");
        // A redirect would take the key elsewhere.
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
        let timeout = Duration::from_millis(settings.dodo_timeout_ms);
        Ok(Some(Dodo { client, base, key: settings.dodo_api_key.clone(), timeout }))
    }

    pub async fn checkout(&self, purchase: &Purchase<'_>) -> Result<CheckoutSession, Fault> {
        #[derive(Deserialize)]
        struct Answer {
            session_id: String,
            checkout_url: String,
        }
        let mut body = json!({
            "product_cart": [{"product_id": purchase.product, "quantity": 1}],
            "metadata": purchase.metadata,
        });
        if let Some(customer) = purchase.customer {
            body["customer"] = json!({"customer_id": customer});
        }
        if let Some(url) = purchase.return_url {
            body["return_url"] = json!(url);
        }
        let Answer { session_id, checkout_url } = self.post(&["checkouts"], Some(&body)).await?;
        Ok(CheckoutSession { id: session_id, url: page(checkout_url)? })
    }

    /// Where a customer manages its subscriptions.
    pub async fn portal(&self, customer: &str) -> Result<String, Fault> {
        #[derive(Deserialize)]
        struct Answer {
            link: String,
        }
        let path = ["customers", customer, "customer-portal", "session"];
        let Answer { link } = self.post(&path, None).await?;
        page(link)
    }

    async fn post<T: DeserializeOwned>(&self, path: &[&str], body: Option<&Value>) -> Result<T, Fault> {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        let sent = tokio::time::timeout(self.timeout, self.send(&url, body)).await;
        let answered = sent.unwrap_or(Err(Fault::Slow(self.timeout.as_secs_f64())));
        let answered = answered
            .and_then(|bytes| serde_json::from_slice(&bytes).map_err(|cause| Fault::Malformed(cause.to_string())));
        answered.inspect_err(|fault| tracing::warn!(%fault, path = url.path(), "Dodo Payments did not do as asked"))
    }

    async fn send(&self, url: &Url, body: Option<&Value>) -> Result<Vec<u8>, Fault> {
        let request = || {
            let request = self.client.post(url.clone()).bearer_auth(&self.key);
            match body {
                Some(body) => request.json(body),
                None => request,
            }
        };
        let mut sent = request().send().await;
        // What was never connected has done nothing: anything else might have.
        if sent.as_ref().is_err_and(reqwest::Error::is_connect) {
            sent = request().send().await;
        }
        let unreachable = |cause: reqwest::Error| {
            tracing::warn!(cause = %cause.without_url(), "Dodo Payments cannot be reached");
            Fault::Unreachable
        };
        let mut answer = sent.map_err(unreachable)?;
        let status = answer.status();
        let mut bytes = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(unreachable)? {
            if bytes.len() + piece.len() > LONGEST_BODY {
                return Err(Fault::Malformed(format!("it is longer than {LONGEST_BODY} bytes")));
            }
            bytes.extend_from_slice(&piece);
        }
        if !status.is_success() {
            let message: String = String::from_utf8_lossy(&bytes).chars().take(LONGEST_MESSAGE).collect();
            tracing::warn!(status = status.as_u16(), message, "Dodo Payments refused");
            return Err(Fault::Refused(status.as_u16()));
        }
        Ok(bytes)
    }
}

/// What a browser will be sent to.
fn page(url: String) -> Result<String, Fault> {
    let is_page = Url::parse(&url).is_ok_and(|url| is_page(&url));
    if is_page { Ok(url) } else { Err(Fault::Malformed("its link is no URL".to_owned())) }
}

fn is_page(url: &Url) -> bool {
    matches!(url.scheme(), "https" | "http")
}
