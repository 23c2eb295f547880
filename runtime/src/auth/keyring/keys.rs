//! Keys in memory, changed by events as the workspace projection changes its rows.

use std::collections::{HashMap, HashSet};

use schemas::events::{ApiKeyChanged, ApiKeyCreated, ApiKeyIssued, ApiKeyWithdrawn};
use schemas::{Envelope, Event};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{KeyRights, StoredKey, Whose};
use crate::auth::Scopes;

type Hash = [u8; 32];

#[derive(Default)]
pub(super) struct Ring {
    pub(super) by_hash: HashMap<Hash, StoredKey>,
    /// (tenant, user) → the hash of its current key.
    pub(super) current: HashMap<(String, String), Hash>,
    /// (tenant, user) → its named keys.
    named: HashMap<(String, String), HashSet<Hash>>,
    /// (tenant, id) → its hash; none: ended since the snapshot.
    by_id: HashMap<(String, Uuid), Option<Hash>>,
    /// Ended since the snapshot: a projection that lags must not bring them back.
    pub(super) ended: HashSet<Hash>,
}

impl Ring {
    pub(super) fn insert(&mut self, key: StoredKey) {
        if key.is_current {
            if let Some(old) = self.current.insert(key.owner(), key.sha256)
                && old != key.sha256
            {
                self.end(&old);
            }
        } else {
            self.named.entry(key.owner()).or_default().insert(key.sha256);
        }
        self.by_id.insert((key.tenant.clone(), key.rights.id), Some(key.sha256));
        self.by_hash.insert(key.sha256, key);
    }

    pub(super) fn apply(&mut self, envelope: &Envelope, event: &Event) {
        let tenant = &envelope.tenant;
        match event {
            Event::ApiKeyCreated(created) => self.insert(current(tenant, created)),
            Event::ApiKeyRevoked(revoked) => {
                if let Some(hash) = self.current.get(&(tenant.clone(), revoked.user.clone())).copied() {
                    self.end(&hash);
                }
            }
            Event::ApiKeyIssued(issued) => self.issue(envelope, issued),
            Event::ApiKeyChanged(changed) => self.change(tenant, changed),
            Event::ApiKeyWithdrawn(withdrawn) => self.withdraw(tenant, withdrawn),
            _ => {}
        }
    }

    pub(super) fn whose(&self, tenant: &str, id: Uuid) -> Whose {
        match self.by_id.get(&(tenant.to_owned(), id)) {
            Some(Some(hash)) => self.by_hash.get(hash).map_or(Whose::Ended, |key| Whose::Of(key.user.clone())),
            Some(None) => Whose::Ended,
            None => Whose::Unknown,
        }
    }

    /// Refused where the projection refuses it.
    fn issue(&mut self, envelope: &Envelope, event: &ApiKeyIssued) {
        let Ok(id) = Uuid::try_parse(&event.key_id) else { return };
        if self.by_id.contains_key(&(envelope.tenant.clone(), id)) {
            return;
        }
        let key = StoredKey {
            tenant: envelope.tenant.clone(),
            user: event.user.clone(),
            org: event.org.clone(),
            role: event.role.clone(),
            rights: KeyRights { id, scopes: Scopes::of(&event.scopes), expires_at: event.expires_at.and_then(time) },
            sha256: event.sha256.into_array(),
            version: 1,
            is_current: false,
        };
        let in_force = self.named.get(&key.owner()).into_iter().flatten().filter(|hash| {
            let held = self.by_hash.get(*hash);
            held.is_some_and(|held| held.rights.expires_at.is_none_or(|end| end > envelope.time))
        });
        if i64::try_from(in_force.count()).is_ok_and(|count| count < event.at_most) {
            self.insert(key);
        }
    }

    fn change(&mut self, tenant: &str, event: &ApiKeyChanged) {
        let Some(key) = self.named_key(tenant, &event.key_id, &event.user) else { return };
        // Only the first of two changes of one version, and a repeated one never.
        if key.version == event.version {
            key.version += 1;
            key.rights.scopes = Scopes::of(&event.scopes);
            key.rights.expires_at = event.expires_at.and_then(time);
        }
    }

    fn withdraw(&mut self, tenant: &str, event: &ApiKeyWithdrawn) {
        let hash = self.hash_of(tenant, &event.key_id);
        if let Some(hash) = hash.filter(|hash| self.by_hash.get(hash).is_some_and(|key| key.user == event.user)) {
            self.end(&hash);
        }
    }

    fn named_key(&mut self, tenant: &str, id: &str, user: &str) -> Option<&mut StoredKey> {
        let hash = self.hash_of(tenant, id)?;
        self.by_hash.get_mut(&hash).filter(|key| key.user == user && !key.is_current)
    }

    fn hash_of(&self, tenant: &str, id: &str) -> Option<Hash> {
        let id = Uuid::try_parse(id).ok()?;
        self.by_id.get(&(tenant.to_owned(), id)).copied().flatten()
    }

    fn end(&mut self, hash: &Hash) {
        let Some(key) = self.by_hash.remove(hash) else { return };
        let owner = key.owner();
        if self.current.get(&owner) == Some(hash) {
            self.current.remove(&owner);
        }
        if let Some(named) = self.named.get_mut(&owner) {
            named.remove(hash);
        }
        self.by_id.insert((key.tenant, key.rights.id), None);
        self.ended.insert(*hash);
    }
}

/// It may all that its role may, for as long as it is the current one.
fn current(tenant: &str, event: &ApiKeyCreated) -> StoredKey {
    StoredKey {
        tenant: tenant.to_owned(),
        user: event.user.clone(),
        org: event.org.clone(),
        role: event.role.clone(),
        rights: KeyRights { id: event.key_id(), scopes: Scopes::FULL, expires_at: None },
        sha256: event.sha256.into_array(),
        version: 1,
        is_current: true,
    }
}

/// From microseconds since 1970.
fn time(micros: i64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000).ok()
}

#[cfg(test)]
mod tests;
