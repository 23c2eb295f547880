//! "Memory".

use schemas::events::{MemoryContent, MemoryDeleted, MemoryStored};

use super::*;
use crate::resources::{Memory, Outcome};

const OTHER: &str = "4a4b9c9f-6f0e-4e51-8f4c-1f6a5f1f7a01";

impl Log {
    fn store(&mut self, memory_id: &str, key: &str, value: &str) -> Uuid {
        let id = ids::event_id();
        let event = self.stored(id, memory_id, key, value);
        self.append(id, &event);
        id
    }

    fn stored(&self, id: Uuid, memory_id: &str, key: &str, value: &str) -> Event {
        let content = MemoryContent {
            user_id: value.to_owned(),
            key: key.to_owned(),
            value: value.to_owned(),
            scope: "global".to_owned(),
            category: "fact".to_owned(),
            confidence: 1.0,
            ..MemoryContent::default()
        };
        Event::MemoryStored(MemoryStored {
            memory_id: memory_id.to_owned(),
            key_hash: ByteArray::new(ids::memory_key_hash(TENANT, "global", None, None, key)),
            content: self.seal(id, "memory_content", &content),
        })
    }

    fn forget(&mut self, memory_id: &str) -> Uuid {
        let id = ids::event_id();
        self.append(id, &Event::MemoryDeleted(MemoryDeleted { memory_id: memory_id.to_owned() }));
        id
    }

    fn entry(&self, memory_id: &str) -> Option<Memory> {
        self.fold.resources(None).memory.get(&(TENANT.to_owned(), memory_id.to_owned())).cloned()
    }

    fn outcome(&self, event: Uuid) -> Outcome {
        self.fold.resources(None).outcomes[&event].clone()
    }
}

fn value(entry: &Memory) -> Option<&str> {
    entry.content.as_ref().map(|content| content.value.as_str())
}

fn came_of(status: i16, version: Option<i64>, resource: Option<&str>) -> Outcome {
    let resource = resource.map(|id| Uuid::try_parse(id).unwrap());
    Outcome { status, version, resource, reason: None }
}

#[test]
fn a_key_that_is_known_replaces_the_content_of_its_entry() {
    let mut log = Log::new();
    let first = log.store(TRACE, "k", "1");
    let second = log.store(OTHER, "k", "2");
    assert_eq!(log.outcome(first), came_of(201, Some(1), Some(TRACE)));
    assert_eq!(log.outcome(second), came_of(200, Some(2), Some(TRACE)));
    assert_eq!(log.entry(OTHER), None);
    let entry = log.entry(TRACE).unwrap();
    assert_eq!((value(&entry), entry.version, entry.created_by.as_str()), (Some("2"), 2, "1"));
    assert_eq!((entry.created_at, entry.updated_at), (at(1), at(2)));
    assert_eq!(entry.owners.into_iter().collect::<Vec<_>>(), [format!("memory/{OTHER}"), format!("memory/{TRACE}")]);
}

#[test]
fn a_key_is_one_of_its_tenant() {
    let mut log = Log::new();
    log.store(TRACE, "k", "1");
    let id = ids::event_id();
    let event = log.stored(id, OTHER, "k", "2");
    log.append_as("other", id, &event);
    assert_eq!(log.outcome(id), came_of(201, Some(1), Some(OTHER)));
    assert_eq!(value(&log.entry(TRACE).unwrap()), Some("1"));
}

#[test]
fn a_deleted_entry_is_gone_and_its_key_free() {
    let mut log = Log::new();
    log.store(TRACE, "k", "1");
    log.store(OTHER, "k", "2");
    // It is not the id of an entry.
    let other = log.forget(OTHER);
    assert_eq!(
        (log.outcome(other).status, log.outcome(other).reason.as_deref()),
        (404, Some("Memory entry not found"))
    );
    let deleted = log.forget(TRACE);
    assert_eq!(log.outcome(deleted), came_of(204, None, None));
    assert_eq!(log.entry(TRACE), None);
    let twice = log.forget(TRACE);
    assert_eq!(log.outcome(twice).status, 404);
    let third = "7c1d2c1e-1111-4e51-8f4c-1f6a5f1f7a01";
    let anew = log.store(third, "k", "3");
    assert_eq!(log.outcome(anew), came_of(201, Some(1), Some(third)));
}

#[test]
fn an_event_that_comes_again_changes_nothing() {
    let mut log = Log::new();
    let id = ids::event_id();
    let event = log.stored(id, TRACE, "k", "1");
    log.append(id, &event);
    log.append(id, &event);
    assert_eq!(log.entry(TRACE).unwrap().version, 1);
    assert_eq!(log.outcome(id), came_of(201, Some(1), Some(TRACE)));
}

#[test]
fn erased_content_changes_no_outcome() {
    let mut log = Log::new();
    let (first, second) = (log.store(TRACE, "k", "1"), log.store(OTHER, "k", "2"));
    let before = (log.outcome(first), log.outcome(second));
    log.erase();
    assert_eq!((log.outcome(first), log.outcome(second)), before);
    assert_eq!(log.entry(TRACE).unwrap().content, None);
}
