use schemas::events::ApiKeyRevoked;
use schemas::events::api_keys::current_key_id;
use schemas::ids;
use schemas::sealing::Sealed;
use time::macros::datetime;

use super::*;
use crate::http::routes::Needs;

const NOW: OffsetDateTime = datetime!(2026-11-20 10:00 UTC);
const HOUR: i64 = 3_600_000_000;

fn micros(time: OffsetDateTime) -> i64 {
    (time.unix_timestamp_nanos() / 1000) as i64
}

fn tell(ring: &mut Ring, event: Event) {
    let envelope = Envelope {
        id: ids::event_id(),
        kind: event.kind().to_owned(),
        source: "/test".to_owned(),
        time: NOW,
        subject: String::new(),
        tenant: "acme".to_owned(),
        actor: String::new(),
        request_id: String::new(),
        traceparent: None,
        client: None,
    };
    ring.apply(&envelope, &event);
}

fn sealed() -> Sealed {
    Sealed { key_id: [1; 16].into(), key_offset: 0, nonce: [2; 12].into(), digest: [3; 32].into(), bytes: Vec::new() }
}

fn id(n: u8) -> Uuid {
    Uuid::from_bytes([n; 16])
}

fn created(n: u8) -> Event {
    Event::ApiKeyCreated(ApiKeyCreated {
        user: "ann".to_owned(),
        org: None,
        role: "member".to_owned(),
        prefix: String::new(),
        sha256: [n; 32].into(),
    })
}

fn issued(n: u8, at_most: i64, expires_at: Option<i64>) -> Event {
    Event::ApiKeyIssued(ApiKeyIssued {
        key_id: id(n).to_string(),
        user: "ann".to_owned(),
        org: None,
        role: "member".to_owned(),
        prefix: String::new(),
        sha256: [n; 32].into(),
        scopes: vec!["read".to_owned()],
        expires_at,
        at_most,
        content: sealed(),
    })
}

fn changed(n: u8, version: i64, scope: &str) -> Event {
    Event::ApiKeyChanged(ApiKeyChanged {
        key_id: id(n).to_string(),
        user: "ann".to_owned(),
        version,
        scopes: vec![scope.to_owned()],
        expires_at: None,
        content: None,
    })
}

fn withdrawn(id: Uuid, user: &str) -> Event {
    Event::ApiKeyWithdrawn(ApiKeyWithdrawn { key_id: id.to_string(), user: user.to_owned() })
}

fn writes(ring: &Ring, n: u8) -> Option<bool> {
    ring.by_hash.get(&[n; 32]).map(|key| key.rights.scopes.allows(Needs::Writing))
}

#[test]
fn a_new_current_key_leaves_named_ones_alone() {
    let mut ring = Ring::default();
    for event in [created(1), issued(2, 9, None), created(3)] {
        tell(&mut ring, event);
    }
    assert_eq!((writes(&ring, 1), writes(&ring, 2), writes(&ring, 3)), (None, Some(false), Some(true)));
    assert!(ring.ended.contains(&[1; 32]));
    tell(&mut ring, Event::ApiKeyRevoked(ApiKeyRevoked { user: "ann".to_owned() }));
    assert_eq!((writes(&ring, 2), writes(&ring, 3), ring.current.len()), (Some(false), None, 0));
}

#[test]
fn a_change_is_one_of_a_version_and_counts_once() {
    let mut ring = Ring::default();
    tell(&mut ring, issued(1, 9, None));
    tell(&mut ring, changed(1, 1, "write"));
    assert_eq!(writes(&ring, 1), Some(true));
    tell(&mut ring, changed(1, 2, "read"));
    // Again, by a retry whose answer was lost.
    tell(&mut ring, changed(1, 1, "write"));
    assert_eq!(writes(&ring, 1), Some(false));
    tell(&mut ring, created(2));
    let current = Event::ApiKeyChanged(ApiKeyChanged {
        key_id: current_key_id(&[2; 32]).to_string(),
        user: "ann".to_owned(),
        version: 1,
        scopes: Vec::new(),
        expires_at: None,
        content: None,
    });
    tell(&mut ring, current);
    assert_eq!(writes(&ring, 2), Some(true), "a current key is never changed");
}

#[test]
fn a_withdrawn_key_never_comes_back() {
    let mut ring = Ring::default();
    tell(&mut ring, issued(1, 9, None));
    tell(&mut ring, withdrawn(id(1), "bob"));
    assert_eq!(ring.whose("acme", id(1)), Whose::Of("ann".to_owned()));
    tell(&mut ring, withdrawn(id(1), "ann"));
    tell(&mut ring, issued(1, 9, None));
    assert_eq!((writes(&ring, 1), ring.whose("acme", id(1))), (None, Whose::Ended));
    assert_eq!(ring.whose("other", id(1)), Whose::Unknown);
    tell(&mut ring, created(2));
    tell(&mut ring, withdrawn(current_key_id(&[2; 32]), "ann"));
    assert_eq!((writes(&ring, 2), ring.current.len()), (None, 0));
}

#[test]
fn keys_beyond_the_limit_are_not_in_force_and_expired_ones_do_not_count() {
    let mut ring = Ring::default();
    tell(&mut ring, issued(1, 2, Some(micros(NOW))));
    tell(&mut ring, issued(2, 2, Some(micros(NOW) + HOUR)));
    tell(&mut ring, issued(3, 2, None));
    tell(&mut ring, issued(4, 2, None));
    assert!(writes(&ring, 3).is_some() && writes(&ring, 4).is_none());
    tell(&mut ring, withdrawn(id(2), "ann"));
    tell(&mut ring, issued(5, 2, None));
    assert!(writes(&ring, 5).is_some());
}
