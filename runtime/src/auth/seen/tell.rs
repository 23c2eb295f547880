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
        Ok(Telling {
            client: reqwest::Client::builder().timeout(WITHIN).build()?,
            url: format!("{}/api/v1/internal/seen", settings.ingest_base()),
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
