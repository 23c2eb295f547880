//! The API keys in force: a snapshot from Postgres, then the log itself, so that a revocation needs no projection.

mod keys;
mod snapshot;

use std::collections::HashMap;
use std::sync::RwLock;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};
use schemas::{Envelope, Event, sealing, topics};
use sqlx::PgPool;
use tokio::sync::watch;
use uuid::Uuid;

use self::keys::Ring;
use super::{KeyRights, Principal};

pub use snapshot::{Snapshot, or_nothing};

#[derive(Clone, Debug)]
pub struct StoredKey {
    pub tenant: String,
    pub user: String,
    pub org: Option<String>,
    pub role: String,
    pub rights: KeyRights,
    pub sha256: [u8; 32],
    pub version: i64,
    /// The user's one, not a named one.
    pub is_current: bool,
}

/// What is known of a key by its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// In force, and this user's.
    Of(String),
    Ended,
    /// Another node may have made it just now.
    Unknown,
}

#[derive(Default)]
pub struct KeyRing {
    ring: RwLock<Ring>,
    complete: watch::Sender<bool>,
}

/// How long a start waits for the log.
const PATIENCE: Duration = Duration::from_secs(10);

/// Keys carry 256 bits of randomness, so that a plain hash of them can be stored.
pub fn hash_key(key: &str) -> [u8; 32] {
    sealing::sha256(key.as_bytes())
}

/// The shown part of a key: enough to tell two apart, far from enough to guess.
const SHOWN: usize = 8;

pub fn prefix_of(key: &str, configured: &str) -> String {
    let configured = if key.starts_with(configured) { configured.len() } else { 3 };
    key.chars().take(configured + SHOWN).collect()
}

pub fn new_key(prefix: &str) -> anyhow::Result<String> {
    let mut secret = [0u8; 32];
    SystemRandom::new().fill(&mut secret).map_err(|_| anyhow::anyhow!("no randomness to be had"))?;
    Ok(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(secret)))
}

impl KeyRing {
    /// Takes the snapshot over; from where to follow the topic after it.
    pub fn begin(&self, snapshot: Snapshot) -> HashMap<i32, i64> {
        if let Ok(mut ring) = self.ring.write() {
            snapshot.keys.into_iter().for_each(|key| ring.insert(key));
        }
        (0..topics::PARTITIONS).map(|partition| (partition, 0)).chain(snapshot.next).collect()
    }

    /// The log was read to its end of this moment: a key that ended before it is known to have ended.
    pub fn complete(&self) {
        self.complete.send_replace(true);
    }

    pub fn is_complete(&self) -> bool {
        *self.complete.borrow()
    }

    /// Waits, bounded: a node that cannot reach the log starts all the same, and says so to whoever has a key.
    pub async fn completed(&self) {
        let mut complete = self.complete.subscribe();
        if tokio::time::timeout(PATIENCE, complete.wait_for(|is| *is)).await.is_err() {
            tracing::warn!("the log of API keys cannot be read yet; requests with API keys are answered 503");
        }
    }

    /// Whose key it is. Its end by time is for the caller to judge.
    pub fn find(&self, hash: &[u8; 32]) -> Option<Principal> {
        self.ring.read().ok()?.by_hash.get(hash).map(StoredKey::principal)
    }

    /// What the log says of keys; other events leave them as they are.
    pub fn apply(&self, envelope: &Envelope, event: &Event) {
        if let Ok(mut ring) = self.ring.write() {
            ring.apply(envelope, event);
        }
    }

    /// Whether the user has a current key in force.
    pub fn has_key(&self, principal: &Principal) -> bool {
        let owner = (principal.tenant.clone(), principal.user.clone());
        self.ring.read().is_ok_and(|ring| ring.current.contains_key(&owner))
    }

    pub fn has_ended(&self, hash: &[u8; 32]) -> bool {
        self.ring.read().is_ok_and(|ring| ring.ended.contains(hash))
    }

    pub fn whose(&self, tenant: &str, id: Uuid) -> Whose {
        self.ring.read().map_or(Whose::Unknown, |ring| ring.whose(tenant, id))
    }

    /// One look past the snapshot, for a key that another node has just created.
    pub async fn read_through(&self, pool: &PgPool, hash: &[u8; 32]) -> Result<Option<Principal>, sqlx::Error> {
        Ok(snapshot::read_one(pool, hash).await?.map(|key| key.principal()))
    }
}

impl StoredKey {
    fn principal(&self) -> Principal {
        Principal {
            tenant: self.tenant.clone(),
            user: self.user.clone(),
            org: self.org.clone(),
            role: self.role.clone(),
            key: Some(self.rights),
        }
    }

    fn owner(&self) -> (String, String) {
        (self.tenant.clone(), self.user.clone())
    }
}
