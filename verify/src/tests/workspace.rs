//! "API keys", as far as it is about current ones, and "Price tables".

use schemas::events::{ApiKeyCreated, ApiKeyRevoked};
use schemas::{Event, ids};
use serde_bytes::ByteArray;

use super::*;

fn created(user: &str, prefix: &str) -> Event {
    Event::ApiKeyCreated(ApiKeyCreated {
        user: user.to_owned(),
        org: Some("o".to_owned()),
        role: "member".to_owned(),
        prefix: prefix.to_owned(),
        sha256: ByteArray::new([1; 32]),
    })
}

fn revoked(user: &str) -> Event {
    Event::ApiKeyRevoked(ApiKeyRevoked { user: user.to_owned() })
}

#[test]
fn a_user_has_one_key() {
    let mut log = Log::new();
    // By (tenant, user), the keys in force.
    let key = |log: &Log, tenant: &str| {
        let keys = log.fold.resources(None).api_keys;
        let mut of = keys.iter().filter(|((of, _), key)| of == tenant && key.user == "u");
        let found = of.next().map(|(_, key)| key.prefix.clone());
        assert!(of.next().is_none());
        found
    };
    log.append(ids::event_id(), &revoked("u"));
    assert_eq!(key(&log, TENANT), None);
    let first = log.append(ids::event_id(), &created("u", "a"));
    log.append_as("other", ids::event_id(), &created("u", "x"));
    log.append(ids::event_id(), &created("u", "b"));
    assert_eq!(key(&log, TENANT), Some("b".to_owned()));
    log.append(ids::event_id(), &revoked("u"));
    assert_eq!(key(&log, TENANT), None);
    assert_eq!(key(&log, "other"), Some("x".to_owned()));
    log.append(ids::event_id(), &created("u", "c"));
    assert_eq!(key(&log, TENANT), Some("c".to_owned()));
    // As it was when the projection had read the first one.
    let ends = [(0, first + 1)].into_iter().collect();
    let keys = log.fold.resources(Some(&ends)).api_keys;
    assert_eq!(keys.into_values().map(|key| key.prefix).collect::<Vec<_>>(), ["a"]);
}

#[test]
fn a_table_is_kept_under_scope_and_hash() {
    let mut log = Log::new();
    let text = "{\"version\":\"1\",\"currency\":\"USD\",\"unit\":\"\",\"models\":[]}";
    let hash = log.publish("", text);
    log.publish(TENANT, text);
    let tables = log.fold.price_tables(None);
    assert_eq!(tables.len(), 2);
    assert_eq!(tables[&(String::new(), hash)].text, text);
    assert!(log.fold.price_tables(Some(&Default::default())).is_empty());
}
