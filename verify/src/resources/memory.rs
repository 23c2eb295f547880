//! "Memory".

use std::collections::BTreeSet;

use schemas::codec;
use schemas::events::{MemoryContent, MemoryDeleted, MemoryStored};
use uuid::Uuid;

use super::{Command, Open, Outcome, Resources, done, refused};

#[derive(Clone, Debug, PartialEq)]
pub struct Memory {
    pub key_hash: [u8; 32],
    pub version: i64,
    /// None: some of what the entry is made of is erased, so that it cannot be computed.
    pub content: Option<MemoryContent>,
    pub created_by: String,
    pub created_at: i64,
    pub updated_at: i64,
    /// Under which subjects its contents were sealed.
    pub owners: BTreeSet<String>,
}

impl Resources {
    pub(super) fn store_memory(&mut self, command: &Command<'_>, event: &MemoryStored, open: Open<'_>) -> Outcome {
        let content: Option<MemoryContent> =
            open(&event.content).and_then(|plain| codec::decode("memory_content", &plain).ok());
        let owner = format!("memory/{}", event.memory_id);
        let hash = (command.tenant.to_owned(), event.key_hash.into_array());
        let id = self.memory_ids.get(&hash).unwrap_or(&event.memory_id).clone();
        let key = (command.tenant.to_owned(), id.clone());
        let outcome = |status, version| Outcome { resource: Uuid::try_parse(&id).ok(), ..done(status, Some(version)) };
        if let Some(entry) = self.memory.get_mut(&key) {
            if entry.key_hash != hash.1 {
                return refused(409, None, "A memory entry with this id exists".to_owned());
            }
            entry.version += 1;
            entry.content = entry.content.as_ref().and(content);
            entry.updated_at = command.time;
            entry.owners.insert(owner);
            return outcome(200, entry.version);
        }
        let entry = Memory {
            key_hash: hash.1,
            version: 1,
            created_by: content.as_ref().map(|content| content.user_id.clone()).unwrap_or_default(),
            content,
            created_at: command.time,
            updated_at: command.time,
            owners: BTreeSet::from([owner]),
        };
        self.memory.insert(key, entry);
        let outcome = outcome(201, 1);
        self.memory_ids.insert(hash, id);
        outcome
    }

    pub(super) fn delete_memory(&mut self, command: &Command<'_>, event: &MemoryDeleted) -> Outcome {
        let Some(entry) = self.memory.remove(&(command.tenant.to_owned(), event.memory_id.clone())) else {
            return refused(404, None, "Memory entry not found".to_owned());
        };
        self.memory_ids.remove(&(command.tenant.to_owned(), entry.key_hash));
        done(204, None)
    }
}
