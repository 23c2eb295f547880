//! "Audit".

use schemas::audit::{self as chain, BEGINNING};
use schemas::events::GoldenSet;
use schemas::{Envelope, Event, ids, topics};
use time::OffsetDateTime;

use crate::audit::{Chains, kept};
use crate::log::Record;

fn record(tenant: &str, offset: i64, event: &Event) -> Record {
    let envelope = Envelope {
        id: ids::event_id(),
        kind: event.kind().to_owned(),
        source: "/test".to_owned(),
        time: OffsetDateTime::UNIX_EPOCH,
        subject: "s".to_owned(),
        tenant: tenant.to_owned(),
        actor: "a".to_owned(),
        request_id: "r".to_owned(),
        traceparent: None,
        client: Some("sealed".to_owned()),
    };
    Record {
        topic: topics::TELEMETRY,
        partition: 3,
        offset,
        key: Vec::new(),
        envelope: Ok(envelope),
        refusal: None,
        value: Some(event.encode().unwrap()),
    }
}

fn golden() -> Event {
    Event::GoldenSet(GoldenSet { trace_id: "t".to_owned(), golden: true })
}

/// (number, previous, hash, facts) of each write.
fn told(records: &[Record]) -> Vec<(u64, Vec<u8>, Vec<u8>, String)> {
    let mut chains = Chains::of_slice(0, 1);
    records.iter().for_each(|record| chains.apply(record));
    chains.told()
}

#[test]
fn each_tenant_has_a_chain_of_its_own_in_a_partition() {
    let told = told(&[record("acme", 1, &golden()), record("globex", 2, &golden()), record("acme", 3, &golden())]);
    let [(1, first, acme, facts), (1, other, globex, _), (2, second, _, _)] = &told[..] else { panic!("{told:?}") };
    assert_eq!((first, other), (&BEGINNING.to_vec(), &BEGINNING.to_vec()));
    assert!(second == acme && second != globex);
    assert_eq!(facts, r#"{"golden":true}"#);
}

#[test]
fn a_hash_is_that_of_the_record_as_it_stands() {
    let record = record("acme", 1, &golden());
    let hash_of = |record: &Record| told(std::slice::from_ref(record))[0].2.clone();
    let content = chain::content_hash(Some("sealed"), record.value.as_deref().unwrap());
    let hash = chain::link(&BEGINNING, (topics::TELEMETRY, 3, 1), record.envelope.as_ref().unwrap(), &content);
    assert_eq!(hash_of(&record), hash.to_vec());
    let mut flipped = record.clone();
    flipped.value.as_mut().unwrap()[3] ^= 1;
    let mut elsewhere = record.clone();
    elsewhere.offset = 2;
    assert!(hash_of(&flipped) != hash.to_vec() && hash_of(&elsewhere) != hash.to_vec());
}

#[test]
fn what_cannot_be_read_is_a_write_without_facts() {
    let mut unreadable = record("acme", 1, &golden());
    unreadable.value = Some(b"garbage".to_vec());
    let mut nobodys = record("acme", 2, &golden());
    nobodys.envelope = Err("no tenant".to_owned());
    let told = told(&[unreadable, nobodys]);
    assert!(told.len() == 1 && told[0].3.is_empty(), "{told:?}");
}

#[test]
fn heads_are_kept_as_they_were_answered() {
    let answer = r#"{"tenant":"acme","heads":[{"topic":"retrace.telemetry","partition":3,"offset":7,"count":2,"hash":"ab","time":"2026-11-26T00:00:00.000000Z"}]}"#;
    assert_eq!(kept(answer).unwrap().len(), 1);
    assert!(kept("{}").is_err());
}
