//! Which members were seen and which keys used: the gate tells it, at most once an interval and on a change of role, and no
//! request waits for it.

mod tell;
mod told;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, header};
use time::OffsetDateTime;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use self::told::Told;
use super::{Principal, Role};
use crate::Settings;

pub use tell::Telling;

/// Sightings that wait at most; beyond it they are told at the next use.
const MOST_WAITING: usize = 1_024;
/// After one that could not be kept.
const REST: Duration = Duration::from_secs(1);

#[derive(Clone)]
pub struct Seen(Arc<Inner>);

struct Inner {
    /// Of an interval; 0: nothing is told.
    seconds: i64,
    told: Mutex<Told>,
    waiting: mpsc::Sender<Sighting>,
}

/// What is to be kept.
pub struct Sighting {
    pub principal: Principal,
    /// Since 1970: what is seen again within one is no news.
    pub interval: i64,
    /// What the caller came with.
    pub credentials: HeaderMap,
}

/// Keeps sightings, or says why it could not.
pub trait Keep {
    fn keep(&self, sighting: &Sighting) -> impl Future<Output = Result<(), String>> + Send;
}

/// Those that wait to be kept.
pub struct Sightings {
    seen: Seen,
    waiting: mpsc::Receiver<Sighting>,
}

impl Seen {
    pub fn new(settings: &Settings) -> (Seen, Sightings) {
        let (sender, waiting) = mpsc::channel(MOST_WAITING);
        let seconds = i64::try_from(settings.seen_interval_seconds).unwrap_or(i64::MAX);
        let seen = Seen(Arc::new(Inner { seconds, told: Mutex::default(), waiting: sender }));
        (seen.clone(), Sightings { seen, waiting })
    }

    /// From the gate: where it is news, somebody keeps it later.
    pub fn tell(&self, principal: &Principal, headers: &HeaderMap) {
        if let Some(sighting) = self.news(principal, headers)
            && let Err(refused) = self.0.waiting.try_send(sighting)
        {
            tracing::debug!("a sighting was not kept: too many wait");
            self.forget(&refused.into_inner());
        }
    }

    /// From another service: kept before it is answered.
    pub async fn told(&self, principal: &Principal, headers: &HeaderMap, keep: &impl Keep) -> Result<(), String> {
        let Some(sighting) = self.news(principal, headers) else { return Ok(()) };
        let kept = keep.keep(&sighting).await;
        if kept.is_err() {
            self.forget(&sighting);
        }
        kept
    }

    /// None where it was told before. Who asks has to see that it is kept.
    fn news(&self, principal: &Principal, headers: &HeaderMap) -> Option<Sighting> {
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let interval = now.checked_div(self.0.seconds)?;
        let role = Role::of(&principal.role);
        let mut told = self.0.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.is_news(&name(principal), role, interval, now).then(|| Sighting {
            principal: principal.clone(),
            interval,
            credentials: credentials(headers),
        })
    }

    /// It is told again at the next use.
    fn forget(&self, sighting: &Sighting) {
        self.0.told.lock().unwrap_or_else(PoisonError::into_inner).forget(&name(&sighting.principal));
    }
}

impl Sightings {
    /// Until stopped.
    pub async fn kept_by(mut self, keep: impl Keep, stop: CancellationToken) -> anyhow::Result<()> {
        while let Some(Some(sighting)) = stop.run_until_cancelled(self.waiting.recv()).await {
            if let Some(Err(cause)) = stop.run_until_cancelled(keep.keep(&sighting)).await {
                tracing::warn!(cause, "that a member was seen could not be kept; the next request tells it again");
                self.seen.forget(&sighting);
                stop.run_until_cancelled(tokio::time::sleep(REST)).await;
            }
        }
        stop.cancelled().await;
        Ok(())
    }
}

/// A bearer token speaks for its user, a key for itself.
fn name(principal: &Principal) -> String {
    match &principal.key {
        Some(key) => format!("key\0{}\0{}", principal.tenant, key.id),
        None => format!("user\0{}\0{}", principal.tenant, principal.user),
    }
}

fn credentials(headers: &HeaderMap) -> HeaderMap {
    let names = [HeaderName::from_static("x-retrace-key"), header::AUTHORIZATION];
    names.into_iter().filter_map(|name| headers.get(&name).cloned().map(|value| (name, value))).collect()
}
