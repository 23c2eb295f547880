//! A sealing key per (trace or resource, ingest process), acknowledged before anything is sealed under it.

use std::num::NonZeroUsize;
use std::sync::Mutex;

use lru::LruCache;
use runtime::{Problem, Settings};
use schemas::sealing::{SealingKey, key_record_key};

use super::Publisher;

/// (tenant, owner) → its key.
type Keys = LruCache<(String, String), SealingKey>;

pub struct SealingKeys(Mutex<Keys>);

impl SealingKeys {
    pub fn new(settings: &Settings) -> SealingKeys {
        let size = NonZeroUsize::new(settings.sealing_key_cache).unwrap_or(NonZeroUsize::MIN);
        SealingKeys(Mutex::new(LruCache::new(size)))
    }

    pub async fn of(
        &self,
        publisher: &Publisher,
        tenant: &str,
        owner: &str,
        partition: i32,
    ) -> Result<SealingKey, Problem> {
        let kept = (tenant.to_owned(), owner.to_owned());
        if let Some(key) = self.lock()?.get(&kept) {
            return Ok(key.clone());
        }
        let key = self.once(publisher, tenant, owner, partition).await?;
        // Two first requests of one owner make two keys; either will do.
        self.lock()?.put(kept, key.clone());
        Ok(key)
    }

    /// A key that is not kept: of one of so many owners that the others' keys would have to go for theirs.
    pub async fn once(
        &self,
        publisher: &Publisher,
        tenant: &str,
        owner: &str,
        partition: i32,
    ) -> Result<SealingKey, Problem> {
        let mut key = SealingKey::generate().map_err(Problem::internal)?;
        let record_key = key_record_key(tenant, owner, &key.id);
        key.offset = publisher.append_key(partition, &record_key, &key.secret).await?;
        Ok(key)
    }

    fn lock(&self) -> Result<std::sync::MutexGuard<'_, Keys>, Problem> {
        self.0.lock().map_err(|_| Problem::internal("the sealing keys are poisoned"))
    }
}
