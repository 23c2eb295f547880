//! What a write says in the clear, as small JSON. It is shown beside the chain and not hashed by itself, since the record
//! that it is read from is: a later version may say more of the same event.

use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::codec;
use crate::events::{Event, Phase, Source, TraceStatus};

const RECORDED: &str = "dev.retrace.trace.recorded.v1";

/// Of a record's value; empty where this version cannot read it.
pub fn facts(kind: &str, value: &[u8]) -> String {
    read(kind, value).map(|facts| Value::Object(facts).to_string()).unwrap_or_default()
}

fn read(kind: &str, value: &[u8]) -> Option<Map<String, Value>> {
    // Most of the log: its spans are counted and not kept.
    let facts = if kind == RECORDED {
        codec::decode::<Recorded>("trace_recorded", value).ok()?.facts()
    } else {
        of(&Event::decode(kind, value)?.ok()?)
    };
    match facts {
        Value::Object(facts) => Some(facts.into_iter().filter(|(_, fact)| !fact.is_null()).collect()),
        _ => None,
    }
}

#[derive(Deserialize)]
struct Recorded {
    source: Source,
    phase: Phase,
    #[serde(default)]
    status: Option<TraceStatus>,
    #[serde(default, deserialize_with = "counted")]
    spans: u64,
}

impl Recorded {
    fn facts(&self) -> Value {
        let status = self.status.map(TraceStatus::as_str);
        json!({ "phase": self.phase.as_str(), "source": self.source.as_str(), "spans": self.spans, "status": status })
    }
}

fn counted<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    struct Count;
    impl<'de> Visitor<'de> for Count {
        type Value = u64;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a list")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<u64, A::Error> {
            let mut count = 0;
            while items.next_element::<IgnoredAny>()?.is_some() {
                count += 1;
            }
            Ok(count)
        }
    }
    deserializer.deserialize_seq(Count)
}

/// In the order of their names. Null: it is no fact of this event. Who wrote it is told by its envelope and its client.
fn of(event: &Event) -> Value {
    match event {
        Event::TraceDeleted(_)
        | Event::SkillCreated(_)
        | Event::MemoryStored(_)
        | Event::MemoryDeleted(_)
        | Event::DatasetCreated(_)
        | Event::DiscussionClosed(_) => json!({}),
        Event::TraceRepriced(event) => json!({ "price_table": event.price_table }),
        Event::GoldenSet(event) => json!({ "golden": event.golden }),
        Event::FeedbackGiven(event) => json!({ "value": event.value }),
        Event::RootCauseFound(event) => json!({
            "engine": event.engine,
            "input_tokens": event.input_tokens,
            "model": event.model,
            "output_tokens": event.output_tokens,
        }),
        Event::ApiKeyCreated(event) => json!({ "prefix": event.prefix, "role": event.role, "user": event.user }),
        Event::ApiKeyRevoked(event) => json!({ "user": event.user }),
        Event::ApiKeyIssued(event) => json!({
            "expires_at": time(event.expires_at),
            "key_id": event.key_id,
            "prefix": event.prefix,
            "role": event.role,
            "scopes": event.scopes,
            "user": event.user,
        }),
        Event::ApiKeyChanged(event) => json!({
            "expires_at": time(event.expires_at),
            "key_id": event.key_id,
            "scopes": event.scopes,
            "user": event.user,
        }),
        Event::ApiKeyWithdrawn(event) => json!({ "key_id": event.key_id, "user": event.user }),
        Event::PlanChanged(event) => json!({
            "cause": event.cause,
            "ends_at": time(event.ends_at),
            "occurred_at": time(Some(event.occurred_at)),
            "plan": event.plan,
            "source": event.source.as_str(),
            "status": event.status.as_str(),
            "subscription_id": event.subscription_id,
        }),
        Event::PriceTablePublished(event) => json!({ "hash": event.hash, "scope": event.scope }),
        Event::SkillChanged(event) => json!({ "if_match": event.if_match, "restores": event.restores }),
        Event::SkillDeleted(event) => json!({ "if_match": event.if_match }),
        Event::PromptCreated(event) => json!({ "labels": event.labels }),
        Event::PromptVersionAdded(event) => json!({ "if_match": event.if_match, "labels": event.labels }),
        Event::PromptLabelled(event) => {
            json!({ "from_version": event.from_version, "label": event.label, "version": event.version })
        }
        Event::PromptDeleted(event) => json!({ "if_match": event.if_match }),
        Event::DatasetChanged(event) => json!({ "if_match": event.if_match }),
        Event::DatasetDeleted(event) => json!({ "if_match": event.if_match }),
        Event::DatasetItemAdded(event) => json!({ "item_id": event.item_id }),
        Event::DatasetItemChanged(event) => json!({ "if_match": event.if_match, "item_id": event.item_id }),
        Event::DatasetItemDeleted(event) => {
            json!({ "erases": event.erases, "if_match": event.if_match, "item_id": event.item_id })
        }
        Event::DatasetItemsImported(event) => json!({
            "first": event.first,
            "import_id": event.import_id,
            "items": event.items.len(),
            "total": event.total,
        }),
        Event::CommentCreated(event) => json!({
            "mentions": event.mentions,
            "reply_to_id": event.reply_to_id,
            "span_id": event.span_id,
            "trace_id": event.trace_id,
        }),
        Event::CommentChanged(event) => json!({ "if_match": event.if_match, "mentions": event.mentions }),
        Event::CommentDeleted(event) => json!({ "if_match": event.if_match, "moderates": event.moderates }),
        Event::AssignmentCreated(event) => json!({ "assignee_id": event.assignee_id, "trace_id": event.trace_id }),
        Event::AssignmentChanged(event) => {
            json!({ "assignee_id": event.assignee_id, "if_match": event.if_match, "status": event.status })
        }
        Event::AssignmentDeleted(event) => json!({ "if_match": event.if_match, "moderates": event.moderates }),
        // Of those that are named; of all it is no fact.
        Event::NotificationsRead(event) => json!({ "notifications": event.ids.as_ref().map(Vec::len) }),
        Event::TapePublished(event) => {
            json!({ "is_public": event.is_public, "steps": event.steps, "trace_id": event.trace_id })
        }
        Event::TapeChanged(event) => json!({ "if_match": event.if_match, "is_public": event.is_public }),
        Event::TapeDeleted(event) => json!({ "if_match": event.if_match }),
        Event::TapeFeatured(event) => json!({ "featured": event.featured }),
        Event::TapesErased(event) => json!({ "trace_id": event.trace_id }),
        // Counted by itself, and what is no write.
        Event::TraceRecorded(_)
        | Event::ContentChunk(_)
        | Event::ContentsErased(_)
        | Event::MemberSeen(_)
        | Event::ApiKeyUsed(_)
        | Event::TapePartRecorded(_)
        | Event::TapeViewed(_)
        | Event::LogCreated(_)
        | Event::Redriven(_) => Value::Null,
    }
}

/// Of microseconds since 1970.
fn time(micros: Option<i64>) -> Option<String> {
    let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros?) * 1000).ok()?;
    time.format(&Rfc3339).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::events::{ApiKeyIssued, GoldenSet, NotificationsRead, PromptLabelled, SpanFacts, TraceRecorded};
    use crate::sealing::{self, SealingKey};

    #[test]
    fn a_trace_says_how_many_spans_came_and_nothing_of_its_content() {
        let key = SealingKey::generate().unwrap();
        let span = SpanFacts {
            span_id: "s".to_owned(),
            phase: Phase::Ended,
            span_type: None,
            model: Some("m".to_owned()),
            started_at: Some(1),
            ended_at: None,
            duration_us: None,
            input_tokens: Some(5),
            output_tokens: None,
            cache_read_tokens: None,
            cache_write_tokens: None,
            reasoning_tokens: None,
            cost: None,
            failed: false,
        };
        let recorded = TraceRecorded {
            trace_id: "t".to_owned(),
            source: Source::Post,
            phase: Phase::Ended,
            price_table: String::new(),
            status: Some(TraceStatus::Failed),
            started_at: None,
            ended_at: None,
            total_duration_us: None,
            total_tokens: None,
            total_cost: None,
            lossy: None,
            spans: vec![span.clone(), span],
            content: Some(sealing::seal(&key, uuid::Uuid::now_v7(), b"secret").unwrap()),
        };
        let event = Event::TraceRecorded(recorded.clone());
        let said = facts(event.kind(), &event.encode().unwrap());
        assert_eq!(said, r#"{"phase":"ended","source":"post","spans":2,"status":"failed"}"#);
        let empty = Event::TraceRecorded(TraceRecorded { status: None, spans: Vec::new(), ..recorded });
        assert_eq!(facts(empty.kind(), &empty.encode().unwrap()), r#"{"phase":"ended","source":"post","spans":0}"#);
    }

    #[test]
    fn a_key_says_what_it_may_and_when_it_ends_but_not_its_name_or_hash() {
        let sealed = sealing::seal(&SealingKey::generate().unwrap(), uuid::Uuid::now_v7(), b"secret").unwrap();
        let issued = Event::ApiKeyIssued(ApiKeyIssued {
            key_id: "k".to_owned(),
            user: "ann".to_owned(),
            org: None,
            role: "member".to_owned(),
            prefix: "rt_abcdefgh".to_owned(),
            sha256: serde_bytes::ByteArray::new([7; 32]),
            scopes: vec!["read".to_owned()],
            expires_at: Some(1_800_000_000_000_000),
            at_most: 50,
            content: sealed,
        });
        assert_eq!(
            facts(issued.kind(), &issued.encode().unwrap()),
            r#"{"expires_at":"2027-01-15T08:00:00Z","key_id":"k","prefix":"rt_abcdefgh","role":"member","scopes":["read"],"user":"ann"}"#
        );
    }

    #[test]
    fn facts_that_an_event_does_not_have_are_left_out() {
        let golden = Event::GoldenSet(GoldenSet { trace_id: "t".to_owned(), golden: true });
        assert_eq!(facts(golden.kind(), &golden.encode().unwrap()), r#"{"golden":true}"#);
        let labelled = PromptLabelled {
            prompt_id: "p".to_owned(),
            label: "production".to_owned(),
            version: None,
            from_version: Some(2),
        };
        let labelled = Event::PromptLabelled(labelled);
        let said = facts(labelled.kind(), &labelled.encode().unwrap());
        assert_eq!(said, r#"{"from_version":2,"label":"production"}"#);
        let read = |ids| Event::NotificationsRead(NotificationsRead { user_id: "u".to_owned(), ids });
        for (read, said) in [(read(None), "{}"), (read(Some(vec!["n".to_owned()])), r#"{"notifications":1}"#)] {
            assert_eq!(facts(read.kind(), &read.encode().unwrap()), said);
        }
        assert_eq!(facts(golden.kind(), b"garbage"), "");
        assert_eq!(facts("dev.retrace.unknown.made.v1", &golden.encode().unwrap()), "");
    }
}
