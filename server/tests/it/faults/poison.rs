//! Records that no projection can apply, among those that it can.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use projector::redrive::redrive;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, Headers, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{Message, Offset, TopicPartitionList};
use retrace_server::commands::rebuild::rebuild;
use runtime::Settings;
use runtime::kafka::refusals::Place;
use runtime::kafka::{client_config, consumer_config};
use schemas::events::{GoldenSet, TraceDeleted, TraceRecorded};
use schemas::{Envelope, Event, ids, topics};
use serde_json::json;
use uuid::Uuid;

use super::{KEYS, TRACES, path, trace, wrong};
use crate::harness::{Client, Retrace, eventually};
use retrace_server::commands::dead_letters::refused;

/// Of the first API key.
const TENANT: &str = "local";
const RECORDED: &str = "dev.retrace.trace.recorded.v1";

/// A record as it stands in a topic.
struct Record {
    headers: BTreeMap<String, Vec<u8>>,
    value: Option<Vec<u8>>,
}

impl Record {
    fn header(&self, name: &str) -> String {
        self.headers.get(name).map(|value| String::from_utf8_lossy(value).into_owned()).unwrap_or_default()
    }
}

/// What is wrong with a record, and what its dead letter says of it.
struct Poison {
    what: &'static str,
    headers: Vec<(&'static str, Vec<u8>)>,
    value: Option<Vec<u8>>,
    reason: &'static str,
}

impl Poison {
    fn new(what: &'static str, kind: &str, value: &[u8], reason: &'static str) -> Poison {
        Poison { what, headers: headers(kind), value: Some(value.to_vec()), reason }
    }

    /// Gives its offset.
    async fn append(&self, producer: &FutureProducer, topic: &str, partition: i32) -> i64 {
        let headers = self
            .headers
            .iter()
            .fold(OwnedHeaders::new(), |headers, (key, value)| headers.insert(Header { key, value: Some(value) }));
        // A compacted topic takes no record without a key.
        let mut record: FutureRecord<'_, [u8], [u8]> =
            FutureRecord::to(topic).partition(partition).key(b"a key of nothing");
        if let Some(value) = &self.value {
            record = record.payload(value);
        }
        if !self.headers.is_empty() {
            record = record.headers(headers);
        }
        producer.send(record, Duration::from_secs(10)).await.unwrap().offset
    }
}

fn headers(kind: &str) -> Vec<(&'static str, Vec<u8>)> {
    let envelope = Envelope {
        id: ids::event_id(),
        kind: kind.to_owned(),
        source: "/test".to_owned(),
        time: time::OffsetDateTime::now_utc(),
        subject: "poison".to_owned(),
        tenant: TENANT.to_owned(),
        actor: String::new(),
        request_id: String::new(),
        traceparent: None,
        client: None,
    };
    envelope.headers().into_iter().map(|(name, value)| (name, value.into_bytes())).collect()
}

/// Everything that can be wrong with a record of a trace. `whole` is one that is right.
fn poisons(whole: &TraceRecorded) -> Vec<Poison> {
    let deleted = Event::TraceDeleted(TraceDeleted { trace_id: whole.trace_id.clone() });
    let golden = Event::GoldenSet(GoldenSet { trace_id: whole.trace_id.clone(), golden: true }).encode().unwrap();
    let recorded = Event::TraceRecorded(whole.clone()).encode().unwrap();
    let mut of_no_schema = recorded.clone();
    of_no_schema[2] ^= 0xff;
    // Marker and fingerprint, then a text of 2^60 bytes.
    let boastful = [&recorded[..10], &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f]].concat();
    let mut without_id = headers(RECORDED);
    without_id.retain(|(name, _)| *name != "ce_id");
    let mut of_no_text = headers(RECORDED);
    of_no_text.iter_mut().filter(|(name, _)| *name == "ce_subject").for_each(|(_, value)| *value = vec![0xff, 0xfe]);
    let mut of_no_time = headers(RECORDED);
    of_no_time.iter_mut().filter(|(name, _)| *name == "ce_time").for_each(|(_, value)| *value = b"soon".to_vec());
    let value = Some(recorded.clone());
    vec![
        Poison::new("garbage", RECORDED, b"\x00\x01 not avro at all", "not an Avro single object"),
        Poison::new("an unknown type", "dev.retrace.trace.exploded.v9", &recorded, "does not know"),
        Poison::new("truncated", RECORDED, &recorded[..recorded.len() / 2], "does not decode"),
        Poison::new("an unknown schema", RECORDED, &of_no_schema, "is not known to this version"),
        Poison::new("a value of another type", deleted.kind(), &golden, "is of type golden_set"),
        Poison::new("a length beyond its end", RECORDED, &boastful, "does not decode"),
        Poison { what: "no value", headers: headers(RECORDED), value: None, reason: "not an Avro single object" },
        Poison { what: "no headers", headers: Vec::new(), value: value.clone(), reason: "has no `ce_" },
        Poison { what: "no id", headers: without_id, value: value.clone(), reason: "has no `ce_id` header" },
        Poison { what: "a header of no text", headers: of_no_text, value: value.clone(), reason: "`ce_subject`" },
        Poison { what: "a time of no clock", headers: of_no_time, value: value.clone(), reason: "`ce_time`" },
        // Sealed for another event.
        Poison { what: "content that does not open", headers: headers(RECORDED), value, reason: "does not open" },
    ]
}

fn producer(settings: &Settings) -> FutureProducer {
    client_config(settings).create().unwrap()
}

fn records(settings: &Settings, topic: &str, partition: i32) -> Vec<Record> {
    let consumer: BaseConsumer =
        consumer_config(settings, "checker").set("enable.partition.eof", "true").create().unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(&settings.topic(topic), partition, Offset::Beginning).unwrap();
    consumer.assign(&list).unwrap();
    let mut found = Vec::new();
    loop {
        match consumer.poll(Duration::from_secs(10)) {
            Some(Ok(message)) => found.push(Record {
                headers: message
                    .headers()
                    .map(|headers| {
                        let pair = |header: Header<'_, &[u8]>| {
                            (header.key.to_owned(), header.value.unwrap_or_default().to_vec())
                        };
                        headers.iter().map(pair).collect()
                    })
                    .unwrap_or_default(),
                value: message.payload().map(<[u8]>::to_vec),
            }),
            Some(Err(KafkaError::PartitionEOF(_))) => return found,
            other => panic!("{topic}: {other:?}"),
        }
    }
}

/// What was recorded of a trace, as it stands in the log.
fn recorded(settings: &Settings, partition: i32) -> TraceRecorded {
    let found = records(settings, topics::TELEMETRY, partition).into_iter().find_map(|record| {
        match Event::decode(&record.header("ce_type"), &record.value?)? {
            Ok(Event::TraceRecorded(event)) => Some(event),
            _ => None,
        }
    });
    found.unwrap()
}

fn partition_of(id: Uuid) -> i32 {
    topics::trace_partition(TENANT, &id.to_string(), topics::PARTITIONS)
}

fn id_in(partition: i32) -> Uuid {
    std::iter::repeat_with(Uuid::new_v4).find(|id| partition_of(*id) == partition).unwrap()
}

/// How many dead letters this process has counted for a projection.
async fn counted(client: &Client, projection: &str) -> u64 {
    let metrics = client.get("/metrics").await.expect(200).text;
    let name = format!("retrace_dead_letters_total{{projection=\"{projection}\"}} ");
    metrics.lines().find_map(|line| line.strip_prefix(&name)).map_or(0, |count| count.trim().parse().unwrap())
}

/// Each poison has its letter: by its origin, with the reason and its own bytes. Gives the letters' ids.
fn check_letters(
    settings: &Settings,
    partition: i32,
    poisons: &[(i64, &Poison)],
    projection: &str,
) -> BTreeSet<String> {
    let topic = if projection == "traces" { topics::TELEMETRY } else { topics::WORKSPACE };
    let letters = records(settings, topics::DEAD_LETTER, partition);
    let of = |offset: i64| {
        let origin = format!("{}/{partition}/{offset}", settings.topic(topic));
        letters.iter().filter(move |letter| letter.header("retrace_origin") == origin)
    };
    for (offset, poison) in poisons {
        let letter = of(*offset).next().unwrap_or_else(|| panic!("{} has no letter", poison.what));
        let reason = letter.header("retrace_reason");
        assert!(reason.contains(poison.reason), "{}: {reason}", poison.what);
        assert_eq!(letter.header("retrace_projection"), projection);
        assert_eq!(
            letter.value.clone().unwrap_or_default(),
            poison.value.clone().unwrap_or_default(),
            "{}",
            poison.what
        );
        let id = poison.headers.iter().find(|(name, _)| *name == "ce_id").map(|(_, value)| value.clone());
        let named = letter.header("retrace_event_id");
        // Headers that cannot be read name no event.
        assert!(named.is_empty() || Some(named.as_bytes()) == id.as_deref(), "{}: {named}", poison.what);
    }
    letters.iter().map(|letter| letter.header("ce_id")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn poison_goes_to_the_dead_letters_and_what_follows_is_applied() {
    let retrace = Retrace::start().await;
    let (client, settings) = (&retrace.client, &retrace.settings);
    let before = counted(client, "traces").await;
    let id = Uuid::new_v4();
    let partition = partition_of(id);
    client.post(TRACES, &trace(id, 0..1)).await.expect(201);
    let poisons = poisons(&recorded(settings, partition));
    let producer = producer(settings);
    let mut appended = Vec::new();
    for (n, poison) in poisons.iter().enumerate() {
        appended.push((poison.append(&producer, &settings.topic(topics::TELEMETRY), partition).await, poison));
        // One that is right between any two.
        client.post(TRACES, &trace(id, n..n + 2)).await.expect(201);
    }
    // A key that is none is in nobody's way.
    let no_key = Poison { what: "no key", headers: Vec::new(), value: Some(b"short".to_vec()), reason: "" };
    no_key.append(&producer, &settings.topic(topics::KEYS), partition).await;
    let last = client.post(TRACES, &trace(id, 0..20)).await.expect(201);
    client.post(TRACES, &trace(id_in(partition), 0..3)).await.expect(201);
    let whole = client.get_after(&path(id), &last.position()).await.expect(200).json();
    assert_eq!(whole["spans"].as_array().unwrap().len(), 20);
    retrace.settled().await;
    let letters = check_letters(settings, partition, &appended, "traces");
    assert_eq!(letters.len(), poisons.len());
    let grown = counted(client, "traces").await - before;
    assert!(grown >= poisons.len() as u64, "{grown} letters were counted");
    assert!(wrong(client).await.is_empty());
    assert_eq!(client.get(TRACES).await.expect(200).json()["total"], 2);
    let report = retrace.report().await;
    assert!(report.is_exact() && report.skipped.is_empty(), "{report}");
    assert_eq!(report.total_refused, poisons.len() as u64 + 1, "{report}");

    // A start reads the last minutes again: letters may come twice, and have the ids of the first.
    let retrace = retrace.restart().await;
    retrace.client.post(TRACES, &trace(id, 20..22)).await.expect(201);
    retrace.settled().await;
    assert_eq!(check_letters(&retrace.settings, partition, &appended, "traces"), letters);
    assert_eq!(retrace.client.get(&path(id)).await.expect(200).json()["span_count"], 22);
    assert!(retrace.report().await.is_exact());
}

/// A letter as a projector writes it that does not understand a good record, as an older version may not.
async fn refuse(settings: &Settings, producer: &FutureProducer, origin: &Place) {
    let origin = origin.to_string();
    let headers = [("retrace_projection", "traces"), ("retrace_origin", &*origin), ("retrace_reason", "too new")]
        .iter()
        .fold(OwnedHeaders::new(), |headers, (key, value)| headers.insert(Header { key, value: Some(*value) }));
    let topic = settings.topic(topics::DEAD_LETTER);
    let record: FutureRecord<'_, (), [u8]> = FutureRecord::to(&topic).partition(0).payload(&[][..]).headers(headers);
    producer.send(record, Duration::from_secs(10)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_counts_where_its_copy_stands() {
    let retrace = Retrace::start().await;
    let (client, settings) = (&retrace.client, &retrace.settings);
    let id = Uuid::new_v4();
    let posted = client.post(TRACES, &trace(id, 0..2)).await.expect(201);
    client.post(&format!("{}/golden", path(id)), &json!({"golden": true})).await.expect(200);
    client.post(TRACES, &trace(Uuid::new_v4(), 0..1)).await.expect(201);
    client.get_after(&path(id), &posted.position()).await.expect(200);
    let log = retrace.log(topics::TELEMETRY).await;
    let first = log.iter().find(|record| record.envelope.as_ref().is_ok_and(|e| e.subject == id.to_string())).unwrap();
    let (partition, offset) = (first.partition, first.offset);
    let origin = Place { topic: settings.topic(topics::TELEMETRY), partition, offset };
    refuse(settings, &producer(settings), &origin).await;
    // A projection made anew skips it, as the one did that refused it; the fold agrees.
    rebuild(settings, "traces", Duration::ZERO).await.unwrap();
    // What is left of it makes no trace.
    eventually("the new generation", async || client.get(&path(id)).await.status == 404).await;
    assert!(retrace.report().await.is_exact());
    let letters = refused(settings).await.unwrap();
    assert_eq!((letters.len(), &letters[0].origin, &letters[0].redriven), (1, &origin, &None));

    let copy = redrive(settings, &letters[0]).await.unwrap();
    assert!(copy.partition == partition && copy.offset > offset, "{copy}");
    retrace.settled().await;
    // At its own offset: the mark before it is one on a trace that was not there.
    let read = client.get(&path(id)).await.expect(200).json();
    assert_eq!((&read["span_count"], &read["golden"]), (&json!(2), &json!(false)));
    assert_eq!(refused(settings).await.unwrap()[0].redriven, Some(copy));
    retrace.assert_exact().await;
    rebuild(settings, "traces", Duration::ZERO).await.unwrap();
    retrace.assert_exact().await;
    let retrace = retrace.restart().await;
    assert_eq!(retrace.client.get(&path(id)).await.expect(200).json(), read);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_is_refused_again_is_a_new_letter() {
    let retrace = Retrace::start().await;
    let settings = &retrace.settings;
    let poison = Poison::new("garbage", RECORDED, b"garbage", "not an Avro single object");
    let offset = poison.append(&producer(settings), &settings.topic(topics::TELEMETRY), 3).await;
    retrace.settled().await;
    for again in 1..3 {
        let letters = refused(settings).await.unwrap();
        assert_eq!(letters.len(), again);
        let newest = letters.iter().max_by_key(|letter| letter.origin.offset).unwrap();
        assert!(newest.redriven.is_none() && newest.origin.offset == offset + again as i64 - 1);
        let copy = redrive(settings, newest).await.unwrap();
        assert_eq!(copy.offset, newest.origin.offset + 1);
        retrace.settled().await;
    }
    // A copy is of the record, not of its copy.
    let records = records(settings, topics::TELEMETRY, 3);
    let last = records.last().unwrap();
    let Some(Ok(Event::Redriven(copy))) = Event::decode(&last.header("ce_type"), last.value.as_ref().unwrap()) else {
        panic!("no copy: {}", last.header("ce_type"))
    };
    assert_eq!((copy.projection.as_str(), copy.value.as_slice()), ("traces", &b"garbage"[..]));
    assert!(retrace.report().await.is_exact());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projector_that_starts_behind_poison_goes_on() {
    let retrace = Retrace::start().await;
    let id = Uuid::new_v4();
    retrace.client.post(TRACES, &trace(id, 0..1)).await.expect(201);
    let poisons = poisons(&recorded(&retrace.settings, partition_of(id)));
    assert!(poisons.len() <= topics::PARTITIONS as usize);
    let producer = producer(&retrace.settings);
    let telemetry = retrace.settings.topic(topics::TELEMETRY);
    for (partition, poison) in (0..).zip(&poisons) {
        poison.append(&producer, &telemetry, partition).await;
    }
    retrace.settled().await;
    let retrace = retrace.restart().await;
    for (partition, poison) in (0..).zip(&poisons) {
        let id = id_in(partition);
        retrace.client.post(TRACES, &trace(id, 0..2)).await.expect(201);
        eventually(poison.what, async || {
            let wrong = wrong(&retrace.client).await;
            assert!(wrong.is_empty(), "the projection has stopped: {wrong:?}");
            retrace.client.get(&path(id)).await.status == 200
        })
        .await;
    }
    assert!(retrace.report().await.is_exact());
}

#[tokio::test(flavor = "multi_thread")]
async fn poison_in_the_workspace_stops_neither_the_projection_nor_who_follows_the_keys() {
    let retrace = Retrace::start().await;
    let settings = &retrace.settings;
    let partition = topics::tenant_partition("acme", topics::PARTITIONS);
    let ann = retrace.key_of("acme", "ann").await;
    let (created, before) = ("dev.retrace.api_key.created.v1", counted(&ann, "workspace").await);
    let poisons = [
        Poison::new("garbage", created, b"garbage", "not an Avro single object"),
        Poison::new("an unknown type", "dev.retrace.api_key.borrowed.v1", b"\xc3\x01", "does not know"),
        Poison { what: "no headers", headers: Vec::new(), value: None, reason: "has no `ce_" },
    ];
    let producer = producer(settings);
    let mut appended = Vec::new();
    for poison in &poisons {
        appended.push((poison.append(&producer, &settings.topic(topics::WORKSPACE), partition).await, poison));
    }
    let renewed = ann.post(KEYS, &json!({})).await.expect(201).json();
    let renewed = ann.with_key(renewed["key"].as_str().unwrap());
    ann.get(TRACES).await.expect(401);
    renewed.get(KEYS).await.expect(200);
    retrace.settled().await;
    check_letters(settings, partition, &appended, "workspace");
    assert!(counted(&ann, "workspace").await >= before + poisons.len() as u64);

    // The last record before a start is poison as well.
    poisons[2].append(&producer, &settings.topic(topics::WORKSPACE), partition).await;
    retrace.settled().await;
    let retrace = retrace.restart().await;
    let renewed = retrace.client.with_key(&renewed.key);
    renewed.delete(KEYS).await.expect(204);
    renewed.get(TRACES).await.expect(401);
    eventually("the revocation", async || {
        let wrong = wrong(&retrace.client).await;
        assert!(wrong.is_empty(), "the projection has stopped: {wrong:?}");
        let pool = runtime::postgres::pool(&retrace.settings).unwrap();
        let system = ingest::system::System { settings: &retrace.settings, pool: &pool };
        !system.knows_key(&renewed.key).await.unwrap()
    })
    .await;
    assert!(retrace.report().await.is_exact());
}
