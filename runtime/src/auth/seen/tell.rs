//! A service that appends nothing tells ingest, with the caller's credentials.

use std::time::Duration;

use super::{Keep, Sighting};
use crate::Settings;

const WITHIN: Duration = Duration::from_secs(15);

pub struct Telling {
    client: reqwest::Client,
    url: String,
    secret: String,
}

impl Telling {
    pub fn new(settings: &Settings) -> anyhow::Result<Telling> {
        let base = if settings.ingest_url.is_empty() {
            format!("http://{}", settings.listen.replace("0.0.0.0", "127.0.0.1"))
        } else {
            settings.ingest_url.trim_end_matches('/').to_owned()
        };
        Ok(Telling {
            client: reqwest::Client::builder().timeout(WITHIN).build()?,
            url: format!("{base}/api/v1/internal/seen"),
            secret: settings.secret.clone(),
        })
    }
}

impl Keep for Telling {
    async fn keep(&self, sighting: &Sighting) -> Result<(), String> {
        let request = self.client.post(&self.url).header("x-retrace-internal", &self.secret);
        let answer = request.headers(sighting.credentials.clone()).send().await;
        let answer = answer.map_err(|cause| format!("{:#}", anyhow::Error::from(cause)))?;
        if answer.status().is_success() {
            return Ok(());
        }
        Err(format!("{} answered {}", self.url, answer.status()))
    }
}
