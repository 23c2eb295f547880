//! That somebody has opened a tape: a service that appends nothing tells ingest, once a viewer and day, and no request waits
//! for it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use schemas::events::TapeViewed;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::Settings;

/// Views that wait at most; beyond it they are told at the viewer's next one.
const MOST_WAITING: usize = 1_024;
/// Viewers that are remembered. Forgetting them costs events that change nothing.
const MOST_TOLD: usize = 100_000;
const WITHIN: Duration = Duration::from_secs(15);
/// After one that could not be told.
const REST: Duration = Duration::from_secs(1);

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct View {
    /// Whose tape it is.
    pub tenant: String,
    pub viewed: TapeViewed,
}

#[derive(Clone, Default)]
struct Told(Arc<Mutex<HashSet<[u8; 16]>>>);

pub struct Views {
    told: Told,
    waiting: mpsc::Sender<View>,
}

/// Those that wait to be told.
pub struct Waiting {
    told: Told,
    views: mpsc::Receiver<View>,
    client: reqwest::Client,
    url: String,
    secret: String,
}

impl Told {
    fn is_news(&self, viewer: [u8; 16]) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() >= MOST_TOLD {
            told.clear();
        }
        told.insert(viewer)
    }

    fn forget(&self, view: &View) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&view.viewed.viewer.into_array());
    }
}

impl Views {
    pub fn new(settings: &Settings) -> anyhow::Result<(Views, Waiting)> {
        let (sender, views) = mpsc::channel(MOST_WAITING);
        let told = Told::default();
        let waiting = Waiting {
            told: told.clone(),
            views,
            client: reqwest::Client::builder().timeout(WITHIN).build()?,
            url: format!("{}/api/v1/internal/tape-views", settings.ingest_base()),
            secret: settings.secret.clone(),
        };
        Ok((Views { told, waiting: sender }, waiting))
    }

    /// Where it is news, ingest is told later.
    pub fn tell(&self, view: View) {
        if self.told.is_news(view.viewed.viewer.into_array())
            && let Err(refused) = self.waiting.try_send(view)
        {
            tracing::debug!("a view was not kept: too many wait");
            self.told.forget(&refused.into_inner());
        }
    }
}

impl Waiting {
    /// Until stopped.
    pub async fn telling(mut self, stop: CancellationToken) -> anyhow::Result<()> {
        while let Some(Some(view)) = stop.run_until_cancelled(self.views.recv()).await {
            if let Some(Err(cause)) = stop.run_until_cancelled(self.tell(&view)).await {
                tracing::warn!(cause, "a view could not be kept; the viewer's next one tells it again");
                self.told.forget(&view);
                stop.run_until_cancelled(tokio::time::sleep(REST)).await;
            }
        }
        stop.cancelled().await;
        Ok(())
    }

    async fn tell(&self, view: &View) -> Result<(), String> {
        let request = self.client.post(&self.url).header("x-retrace-internal", &self.secret).json(view);
        let answer = request.send().await.map_err(|cause| format!("{:#}", anyhow::Error::from(cause)))?;
        if answer.status().is_success() { Ok(()) } else { Err(format!("{} answered {}", self.url, answer.status())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_is_told_once_and_again_where_it_was_not_kept() {
        let told = Told::default();
        assert!(told.is_news([1; 16]) && !told.is_news([1; 16]) && told.is_news([2; 16]));
        let viewed = TapeViewed { tape_id: String::new(), day: 1, viewer: [1; 16].into() };
        told.forget(&View { tenant: String::new(), viewed });
        assert!(told.is_news([1; 16]) && !told.is_news([2; 16]));
    }
}
