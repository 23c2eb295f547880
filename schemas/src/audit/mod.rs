//! The audit's chain: every write of a tenant in a partition is hashed together with the one before it, so that none can
//! be changed, left out or put in later without every hash behind it changing (ADR 0019).
//!
//! A hash covers the envelope and, by its own hash, the record as it stands in the log: facts in the clear and content as
//! it was sealed. So it can be computed again when the content's key is gone, and it says nothing about the content.

pub mod client;
mod facts;

use ring::digest::{Context, SHA256};

use crate::Envelope;

pub use facts::facts;

pub type Hash = [u8; 32];

/// What stands before the first write.
pub const BEGINNING: Hash = [0; 32];

const LINK: &[u8] = b"retrace.audit.link.v1\0";
const CONTENT: &[u8] = b"retrace.audit.content.v1\0";

/// How kinds begin that nobody's request was to write: what the log says of itself, pieces of values, what was erased, and
/// that somebody was there.
const NOT_WRITES: &[&str] =
    &["log.", "content.", "contents.", "member.seen.", "api_key.used.", "tape.part_recorded.", "tape.viewed."];

/// Whether an event of this kind is a write that the audit shows; also of kinds that this version does not know.
pub fn is_write(kind: &str) -> bool {
    let rest = kind.strip_prefix("dev.retrace.");
    rest.is_some_and(|rest| !NOT_WRITES.iter().any(|begins| rest.starts_with(begins)))
}

/// Of a record, by its value and its sealed client as they are in the log.
pub fn content_hash(client: Option<&str>, value: &[u8]) -> Hash {
    let mut hash = Context::new(&SHA256);
    hash.update(CONTENT);
    text(&mut hash, client.unwrap_or_default());
    hash.update(value);
    finish(hash)
}

/// Of a write, after the one before it. All numbers are big-endian; a text goes with its length in bytes before it.
pub fn link(
    previous: &Hash,
    (topic, partition, offset): (&str, i32, i64),
    envelope: &Envelope,
    content: &Hash,
) -> Hash {
    let mut hash = Context::new(&SHA256);
    hash.update(LINK);
    hash.update(previous);
    text(&mut hash, topic);
    hash.update(&partition.to_be_bytes());
    hash.update(&offset.to_be_bytes());
    text(&mut hash, &envelope.tenant);
    text(&mut hash, &envelope.id.to_string());
    text(&mut hash, &envelope.kind);
    text(&mut hash, &envelope.subject);
    hash.update(&micros(envelope).to_be_bytes());
    text(&mut hash, &envelope.actor);
    text(&mut hash, &envelope.request_id);
    hash.update(content);
    finish(hash)
}

/// When it was, in microseconds since 1970.
pub fn micros(envelope: &Envelope) -> i64 {
    i64::try_from(envelope.time.unix_timestamp_nanos().div_euclid(1000)).unwrap_or_default()
}

fn text(hash: &mut Context, text: &str) {
    hash.update(&(text.len() as u32).to_be_bytes());
    hash.update(text.as_bytes());
}

fn finish(hash: Context) -> Hash {
    let mut out = [0; 32];
    out.copy_from_slice(hash.finish().as_ref());
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use time::macros::datetime;
    use uuid::uuid;

    use super::*;
    use crate::sealing::hex;

    fn envelope() -> Envelope {
        Envelope {
            id: uuid!("0198a0c4-9d7e-7c31-8f6e-2b1f5a3c4d5e"),
            kind: "dev.retrace.golden.set.v1".to_owned(),
            source: "/retrace/ingest".to_owned(),
            time: datetime!(2026-11-26 12:00:00.000001 UTC),
            subject: "9debeeaf-b46e-44fd-8a0a-7efe35a59df9".to_owned(),
            tenant: "acme".to_owned(),
            actor: "a1b2".to_owned(),
            request_id: "r-1".to_owned(),
            traceparent: None,
            client: None,
        }
    }

    /// As anybody else computes them by ADR 0019: these are from Python's hashlib.
    #[test]
    fn the_hashes_are_those_of_the_documented_bytes() {
        let content = content_hash(Some("sealed"), b"value");
        assert_eq!(hex(&content), "2270ae803e6ce243cecf243f3989d4b66dd9e56becad63a6435c4f1e57f47691");
        let first = link(&BEGINNING, ("retrace.telemetry", 3, 41), &envelope(), &content);
        assert_eq!(hex(&first), "f13ef1b65dae5764fd08900b2f08b5863a7f2cff6fca7198565e3ea241611eda");
        let second = link(&first, ("retrace.telemetry", 3, 42), &envelope(), &content);
        assert_eq!(hex(&second), "edf2bea55b5ab0e86e4fc33fe17b16f18b9dcc5fd718af36b5800c352cc7a00a");
    }

    #[test]
    fn whatever_is_in_the_clear_is_in_the_hash() {
        let content = content_hash(None, b"value");
        let place = ("retrace.telemetry", 3, 41);
        let hash = |envelope: &Envelope| link(&BEGINNING, place, envelope, &content);
        let changes: [fn(&mut Envelope); 7] = [
            |envelope| envelope.tenant.push('x'),
            |envelope| envelope.id = uuid!("0198a0c4-9d7e-7c31-8f6e-2b1f5a3c4d5f"),
            |envelope| envelope.kind.push('x'),
            |envelope| envelope.subject.push('x'),
            |envelope| envelope.time += time::Duration::microseconds(1),
            |envelope| envelope.actor.push('x'),
            |envelope| envelope.request_id.push('x'),
        ];
        for change in changes {
            let mut changed = envelope();
            change(&mut changed);
            assert_ne!(hash(&changed), hash(&envelope()));
        }
        // A text does not run over into the next one.
        let (mut one, mut other) = (envelope(), envelope());
        (one.actor, one.request_id) = ("a".to_owned(), "bc".to_owned());
        (other.actor, other.request_id) = ("ab".to_owned(), "c".to_owned());
        assert_ne!(hash(&one), hash(&other));
        assert_ne!(content_hash(None, b"value"), content_hash(Some("v"), b"alue"));
    }

    #[test]
    fn what_the_log_says_of_itself_and_of_who_was_there_is_no_write() {
        for kind in [
            "dev.retrace.trace.recorded.v1",
            "dev.retrace.api_key.created.v1",
            "dev.retrace.logs.made.v1",
            "dev.retrace.unknown.made.v9",
        ] {
            assert!(is_write(kind), "{kind}");
        }
        for kind in [
            "dev.retrace.log.created.v1",
            "dev.retrace.log.redriven.v1",
            "dev.retrace.content.chunk.v1",
            "dev.retrace.contents.erased.v1",
            "dev.retrace.member.seen.v1",
            "dev.retrace.api_key.used.v1",
            "com.example.made",
            "",
        ] {
            assert!(!is_write(kind), "{kind}");
        }
    }
}
