//! The two requests that are measured.

use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use reqwest::{Client, Response, StatusCode};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::options::{Encoding, Options};

pub struct Server {
    client: Client,
    write: String,
    read: String,
    key: String,
    encoding: Encoding,
}

pub enum Posted {
    /// With the position of the write.
    Accepted(String),
    /// 503 or 429: to be sent again after so long.
    Refused(StatusCode, Duration),
    /// The connection broke.
    Lost,
}

pub enum Read {
    /// With so many spans.
    Whole(u64),
    /// 503: not yet.
    Waiting,
    /// 404: the server says that it has read everything and that there is no such trace.
    Absent,
}

#[derive(Deserialize)]
struct Trace {
    spans: Vec<IgnoredAny>,
}

#[derive(Deserialize)]
struct Page {
    total: u64,
}

impl Server {
    pub fn new(options: &Options) -> anyhow::Result<Server> {
        let base = |url: &str| format!("{}/api/v1/traces", url.trim_end_matches('/'));
        let client = Client::builder()
            .pool_max_idle_per_host(options.connections + 8)
            .tcp_nodelay(true)
            .timeout(Duration::from_secs(90))
            .build()?;
        Ok(Server {
            client,
            write: base(&options.url),
            read: base(options.read_url.as_deref().unwrap_or(&options.url)),
            key: options.key.clone(),
            encoding: options.encoding(),
        })
    }

    pub async fn post(&self, body: Bytes) -> anyhow::Result<Posted> {
        let mut request =
            self.client.post(&self.write).header("x-retrace-key", &self.key).header("content-type", "application/json");
        if self.encoding != Encoding::Identity {
            request = request.header("content-encoding", self.encoding.name());
        }
        let Ok(response) = request.body(body).send().await else { return Ok(Posted::Lost) };
        let status = response.status();
        if let Some(after) = refused(&response) {
            return Ok(Posted::Refused(status, after));
        }
        let position =
            response.headers().get("x-retrace-position").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let text = response.text().await.unwrap_or_default();
        if status != StatusCode::CREATED {
            bail!("POST answered {status}: {text}");
        }
        Ok(Posted::Accepted(position.context("an answer to POST without x-retrace-position")?))
    }

    /// Reads a trace, which the server has to be able to answer only behind the positions given.
    pub async fn read(&self, id: &str, after: Option<&str>) -> anyhow::Result<Read> {
        let mut request = self.client.get(format!("{}/{id}", self.read)).header("x-retrace-key", &self.key);
        if let Some(after) = after {
            request = request.header("x-retrace-after", after);
        }
        let response = request.send().await?;
        let status = response.status();
        match status {
            StatusCode::OK => {
                Ok(Read::Whole(serde_json::from_slice::<Trace>(&response.bytes().await?)?.spans.len() as u64))
            }
            StatusCode::SERVICE_UNAVAILABLE => Ok(Read::Waiting),
            StatusCode::NOT_FOUND => Ok(Read::Absent),
            _ => bail!("GET answered {status}: {}", response.text().await.unwrap_or_default()),
        }
    }

    /// How many traces any of these filters finds.
    pub async fn count(&self, filters: &[String]) -> anyhow::Result<u64> {
        let mut total = 0;
        for filter in filters {
            let url = format!("{}?{filter}&limit=1&count=exact", self.read);
            let response = self.client.get(url).header("x-retrace-key", &self.key).send().await?.error_for_status()?;
            total += serde_json::from_slice::<Page>(&response.bytes().await?)?.total;
        }
        Ok(total)
    }
}

fn refused(response: &Response) -> Option<Duration> {
    if !matches!(response.status(), StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
        return None;
    }
    let seconds = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
    Some(Duration::from_secs(seconds.unwrap_or(1)))
}
