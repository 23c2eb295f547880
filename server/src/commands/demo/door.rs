//! The HTTP interface as the demo uses it: what is refused for now is sent again.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use runtime::Settings;
use serde_json::Value;

use crate::cli::DemoOptions;

const LOST_AT_MOST: u32 = 20;
const AFTER_LOSS: Duration = Duration::from_millis(500);

pub(super) struct Door {
    client: Client,
    pub(super) base: String,
    key: String,
    secret: String,
}

impl Door {
    pub(super) fn new(settings: &Settings, options: &DemoOptions) -> anyhow::Result<Door> {
        // The secret is for the server that the settings are about, and for nobody else.
        let (base, secret) = match &options.url {
            Some(url) => (url.trim_end_matches('/').to_owned(), String::new()),
            None => (settings.base_url(), settings.secret.clone()),
        };
        let client = Client::builder().timeout(Duration::from_secs(60)).build()?;
        Ok(Door { client, base, key: key(options)?, secret })
    }

    /// With the installation's secret writes are not counted; a user's hundred a minute would take more than an hour.
    pub(super) fn is_counted(&self) -> bool {
        self.secret.is_empty()
    }

    /// The position of the write.
    pub(super) async fn post(&self, path: &str, body: Vec<u8>) -> anyhow::Result<String> {
        let request = self.request(Method::POST, path).header("content-type", "application/json").body(body);
        let response = self.send(request).await?;
        let position = response.headers().get("x-retrace-position").and_then(|value| value.to_str().ok());
        Ok(position.context("an answer to POST without x-retrace-position")?.to_owned())
    }

    /// What is found once these writes are visible.
    pub(super) async fn get(&self, path: &str, after: &[String]) -> anyhow::Result<Value> {
        let mut request = self.request(Method::GET, path);
        if !after.is_empty() {
            request = request.header("x-retrace-after", after.join(","));
        }
        Ok(self.send(request).await?.json().await?)
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request =
            self.client.request(method, format!("{}/api/v1/{path}", self.base)).header("x-retrace-key", &self.key);
        if self.secret.is_empty() { request } else { request.header("x-retrace-internal", &self.secret) }
    }

    async fn send(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        let mut lost = 0;
        loop {
            let again = request.try_clone().context("a request that cannot be sent again")?;
            let response = match again.send().await {
                Ok(response) => response,
                Err(cause) => {
                    lost += 1;
                    ensure!(lost < LOST_AT_MOST && !is_first(lost, &cause), "{} is not reachable: {cause}", self.base);
                    tokio::time::sleep(AFTER_LOSS).await;
                    continue;
                }
            };
            match response.status() {
                status if status.is_success() => return Ok(response),
                StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                    let wait =
                        response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
                    tokio::time::sleep(Duration::from_secs(wait.unwrap_or(1))).await;
                }
                status => bail!("{} answers {status}: {}", self.base, response.text().await.unwrap_or_default()),
            }
        }
    }
}

/// Nobody listens there: most likely the address is wrong.
fn is_first(lost: u32, cause: &reqwest::Error) -> bool {
    lost == 1 && cause.is_connect()
}

fn key(options: &DemoOptions) -> anyhow::Result<String> {
    if let Some(key) = &options.key {
        return Ok(key.clone());
    }
    let data = options.local.data.as_deref().unwrap_or(Path::new(".retrace"));
    let path = data.join("api-key");
    let key =
        std::fs::read_to_string(&path).with_context(|| format!("no --key, and {} cannot be read", path.display()))?;
    Ok(key.trim().to_owned())
}
