//! The API keys in force: a snapshot from Postgres, then the log itself, so that a revocation needs no projection.

use std::collections::{HashMap, HashSet};
use std::sync::RwLock;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};
use schemas::events::{ApiKeyCreated, ApiKeyRevoked};
use schemas::{Event, sealing, topics};
use sqlx::{PgPool, Row};
use tokio::sync::watch;

use super::Principal;

#[derive(Clone, Debug)]
pub struct StoredKey {
    pub principal: Principal,
    pub sha256: [u8; 32],
}

/// Every key in force at a position of the workspace topic.
#[derive(Default)]
pub struct Snapshot {
    keys: Vec<StoredKey>,
    /// (partition, next offset)
    next: Vec<(i32, i64)>,
}

#[derive(Default)]
struct Ring {
    by_hash: HashMap<[u8; 32], Principal>,
    /// (tenant, user) → the hash of its current key.
    current: HashMap<(String, String), [u8; 32]>,
    /// Ended since the snapshot: a projection that lags must not bring them back.
    ended: HashSet<[u8; 32]>,
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

pub fn new_key(prefix: &str) -> anyhow::Result<String> {
    let mut secret = [0u8; 32];
    SystemRandom::new().fill(&mut secret).map_err(|_| anyhow::anyhow!("no randomness to be had"))?;
    Ok(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(secret)))
}

impl KeyRing {
    /// Takes the snapshot over; from where to follow the topic after it.
    pub fn begin(&self, snapshot: Snapshot) -> HashMap<i32, i64> {
        snapshot.keys.into_iter().for_each(|key| self.insert(key));
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

    pub fn find(&self, hash: &[u8; 32]) -> Option<Principal> {
        self.ring.read().ok()?.by_hash.get(hash).cloned()
    }

    pub fn insert(&self, key: StoredKey) {
        let Ok(mut ring) = self.ring.write() else { return };
        let owner = (key.principal.tenant.clone(), key.principal.user.clone());
        if let Some(old) = ring.current.insert(owner, key.sha256)
            && old != key.sha256
        {
            ring.by_hash.remove(&old);
            ring.ended.insert(old);
        }
        ring.by_hash.insert(key.sha256, key.principal);
    }

    /// What the log says of keys; other events leave them as they are.
    pub fn apply(&self, tenant: &str, event: &Event) {
        match event {
            Event::ApiKeyCreated(created) => self.created(tenant, created),
            Event::ApiKeyRevoked(revoked) => self.revoked(tenant, revoked),
            _ => {}
        }
    }

    fn created(&self, tenant: &str, event: &ApiKeyCreated) {
        self.insert(StoredKey {
            principal: Principal {
                tenant: tenant.to_owned(),
                user: event.user.clone(),
                org: event.org.clone(),
                role: event.role.clone(),
            },
            sha256: event.sha256.into_array(),
        });
    }

    fn revoked(&self, tenant: &str, event: &ApiKeyRevoked) {
        let Ok(mut ring) = self.ring.write() else { return };
        if let Some(old) = ring.current.remove(&(tenant.to_owned(), event.user.clone())) {
            ring.by_hash.remove(&old);
            ring.ended.insert(old);
        }
    }

    /// Whether the user has a key in force.
    pub fn has_key(&self, principal: &Principal) -> bool {
        let owner = (principal.tenant.clone(), principal.user.clone());
        self.ring.read().is_ok_and(|ring| ring.current.contains_key(&owner))
    }

    pub fn has_ended(&self, hash: &[u8; 32]) -> bool {
        self.ring.read().is_ok_and(|ring| ring.ended.contains(hash))
    }

    /// One look past the snapshot, for a key that another node has just created.
    pub async fn read_through(&self, pool: &PgPool, hash: &[u8; 32]) -> Result<Option<Principal>, sqlx::Error> {
        let schema = crate::postgres::live_schema(pool, "workspace").await?;
        let row = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT tenant, user_id, org, role, sha256 FROM {schema}.api_keys WHERE sha256 = $1 AND revoked_at IS NULL"
        )))
        .bind(hash.as_slice())
        .fetch_optional(pool)
        .await?;
        Ok(row.map(|row| stored_key(&row)).transpose()?.flatten().map(|key| key.principal))
    }
}

impl Snapshot {
    pub async fn read(pool: &PgPool) -> Result<Snapshot, sqlx::Error> {
        let schema = crate::postgres::live_schema(pool, "workspace").await?;
        let mut transaction = pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT tenant, user_id, org, role, sha256 FROM {schema}.api_keys WHERE revoked_at IS NULL"
        )))
        .fetch_all(&mut *transaction)
        .await?;
        let next = sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "SELECT partition_id, next_offset FROM {schema}.checkpoints WHERE topic = 'retrace.workspace'"
        )))
        .fetch_all(&mut *transaction)
        .await?;
        transaction.commit().await?;
        let keys = rows.iter().map(stored_key).filter_map(Result::transpose).collect::<Result<_, _>>()?;
        Ok(Snapshot { keys, next })
    }
}

/// What a node begins with. While Postgres is away that is nothing: the log from its beginning says the same, later.
pub fn or_nothing<T: Default>(read: Result<T, sqlx::Error>) -> Result<T, sqlx::Error> {
    match read {
        Err(cause) if crate::postgres::is_away(&cause) => {
            tracing::warn!(%cause, "Postgres does not answer: the log of the workspace is read from its beginning");
            Ok(T::default())
        }
        read => read,
    }
}

fn stored_key(row: &sqlx::postgres::PgRow) -> Result<Option<StoredKey>, sqlx::Error> {
    let hash: Vec<u8> = row.try_get("sha256")?;
    let Ok(sha256) = hash.try_into() else { return Ok(None) };
    Ok(Some(StoredKey {
        principal: Principal {
            tenant: row.try_get("tenant")?,
            user: row.try_get("user_id")?,
            org: row.try_get("org")?,
            role: row.try_get("role")?,
        },
        sha256,
    }))
}
