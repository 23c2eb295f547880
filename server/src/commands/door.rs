//! The HTTP interface as commands use it: what is refused for now is sent again.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use runtime::Settings;
use serde_json::Value;

use super::terminal::plain;
use crate::cli::Server;

/// Of somebody who waits for an answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
const LOST_AT_MOST: u32 = 20;
const AFTER_LOSS: Duration = Duration::from_millis(500);

pub(super) struct Door {
    client: Client,
    pub(super) base: String,
    key: String,
    secret: String,
    /// How long it is asked again, in all, for an answer that is refused for now.
    patience: Duration,
}

impl Door {
    pub(super) fn new(settings: &Settings, server: &Server, patience: Duration) -> anyhow::Result<Door> {
        let base = server.url.as_ref().map_or_else(|| settings.base_url(), |url| url.trim_end_matches('/').to_owned());
        let client = Client::builder().timeout(Duration::from_secs(60)).build()?;
        Ok(Door { client, base, key: key(server)?, secret: String::new(), patience })
    }

    /// As its operator: the secret is for the server that the settings are about, and for nobody else.
    pub(super) fn with_secret_of(self, settings: &Settings, server: &Server) -> Door {
        let secret = if server.url.is_none() { settings.secret.clone() } else { String::new() };
        Door { secret, ..self }
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
        Ok(serde_json::from_str(&self.text(path, after).await?)?)
    }

    /// As [`Self::get`], as it is sent.
    pub(super) async fn text(&self, path: &str, after: &[String]) -> anyhow::Result<String> {
        let mut request = self.request(Method::GET, path);
        if !after.is_empty() {
            request = request.header("x-retrace-after", after.join(","));
        }
        Ok(self.send(request).await?.text().await?)
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request =
            self.client.request(method, format!("{}/api/v1/{path}", self.base)).header("x-retrace-key", &self.key);
        if self.secret.is_empty() { request } else { request.header("x-retrace-internal", &self.secret) }
    }

    async fn send(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        let (mut lost, mut waited) = (0, Duration::ZERO);
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
                StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE if waited < self.patience => {
                    let wait =
                        response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
                    let wait = Duration::from_secs(wait.unwrap_or(1));
                    tokio::time::sleep(wait).await;
                    // One that asks for no wait is asked again as if it had.
                    waited = waited.saturating_add(wait.max(AFTER_LOSS));
                }
                status => bail!("{} answers {status}: {}", self.base, refusal(response).await),
            }
        }
    }
}

/// Nobody listens there: most likely the address is wrong.
fn is_first(lost: u32, cause: &reqwest::Error) -> bool {
    lost == 1 && cause.is_connect()
}

/// The sentence of an answer, or its text.
async fn refusal(response: Response) -> String {
    let text = response.text().await.unwrap_or_default();
    let said = serde_json::from_str::<Value>(&text).ok().and_then(|body| Some(body["error"].as_str()?.to_owned()));
    plain(&said.unwrap_or(text))
}

fn key(server: &Server) -> anyhow::Result<String> {
    if let Some(key) = &server.key {
        return Ok(key.clone());
    }
    let data = server.local.data.as_deref().unwrap_or(Path::new(".retrace"));
    let path = data.join("api-key");
    let key = std::fs::read_to_string(&path)
        .with_context(|| format!("neither --key nor RETRACE_API_KEY, and {} cannot be read", path.display()))?;
    Ok(key.trim().to_owned())
}
