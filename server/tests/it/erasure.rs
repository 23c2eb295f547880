//! A deleted trace's content is in the engines' files before its erasure and in none of them after, whatever is
//! decompressed and whichever key is tried.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use projector::erase::Eraser;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{Message, Offset, TopicPartitionList};
use retrace_server::commands::rebuild::rebuild;
use runtime::kafka::{Received, consumer_config};
use schemas::{Event, sealing, topics};
use serde_json::json;
use uuid::Uuid;

use crate::harness::{Retrace, engines, without};

fn word(begin: &str) -> String {
    let letters = Uuid::new_v4().as_bytes().map(|byte| char::from(b'a' + byte % 26));
    format!("{begin}{}", letters.iter().collect::<String>())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_traces_content_is_erased_from_every_file() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let (id, kept) = (Uuid::new_v4().to_string(), Uuid::new_v4().to_string());
    // Words, so that they are in the signature of the error too.
    let (marker, stays) = (word("marker"), word("stays"));
    for (id, text) in [(&id, &marker), (&kept, &stays)] {
        let large = format!("{text}{}", "x".repeat(400_000));
        let body = json!({"id": id, "name": text, "user_id": text, "tags": [text], "output": large, "error": text, "metadata": {text: 1},
            "spans": [{"span_type": "action", "name": text, "started_at": "2026-11-20T10:00:00Z", "input": text}]});
        client.post("/api/v1/traces", &body).await.expect(201);
        client.post(&format!("/api/v1/traces/{id}/feedback"), &json!({"value": 1, "note": text})).await.expect(201);
    }
    retrace.settled().await;
    let keys = keys_of(&retrace, &id);
    assert_eq!(keys.len(), 1);
    let secret = keys[0].clone();
    let before = Evidence::gather(&retrace, &[marker.as_bytes(), &secret]);
    assert!(before.clickhouse[0] && before.log[0], "the checker finds the content before: {before:?}");
    assert!(before.files[1], "the checker finds the key before: {before:?}");

    client.delete(&format!("/api/v1/traces/{id}")).await.expect(204);
    // A client's backlog comes late: its content goes as well.
    let late = json!({"id": id, "name": marker, "output": marker});
    client.post("/api/v1/traces", &late).await.expect(201);
    retrace.settled().await;
    let pool = runtime::postgres::pool(&retrace.settings).unwrap();
    let eraser =
        Eraser::new(Arc::clone(&retrace.settings), migrations::clickhouse::client(&retrace.settings), pool).unwrap();
    let facts_before = facts(&retrace).await;
    let used = [client.get("/api/v1/usage").await.json(), client.get("/api/v1/usage/daily").await.json()];
    assert_eq!((&used[0]["traces"]["used"], &used[0]["spans"]["used"]), (&json!(2), &json!(2)));
    let started = Instant::now();
    let erased = eraser.erase().await.unwrap();
    assert!(erased >= 1, "{erased}");
    let bound = Instant::now() + Duration::from_secs(60);
    loop {
        let after = Evidence::gather(&retrace, &[marker.as_bytes(), &secret, stays.as_bytes()]);
        if !after.any(0) && !after.any(1) {
            assert!(after.clickhouse[2] && after.log[2], "other content stays: {after:?}");
            break;
        }
        assert!(Instant::now() < bound, "{after:?}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    eprintln!("erased in {:.1} s", started.elapsed().as_secs_f64());
    assert_eq!(eraser.erase().await.unwrap(), 0, "nothing is left to erase");
    client.get(&format!("/api/v1/traces/{id}")).await.expect(404);
    assert_eq!(client.get(&format!("/api/v1/traces/{kept}")).await.expect(200).json()["name"], stays);
    retrace.assert_exact().await;

    // What happened, without what was said, outlives the content: who counts or audits reads the same again.
    let listed = client.get("/api/v1/traces").await.expect(200).json();
    assert_eq!((listed["total"].as_u64(), &listed["traces"][0]["id"]), (Some(1), &json!(kept)));
    rebuild(&retrace.settings, "traces", Duration::from_secs(2)).await.unwrap();
    assert_eq!(client.get("/api/v1/traces").await.expect(200).json(), listed);
    client.get(&format!("/api/v1/traces/{id}")).await.expect(404);
    client.get(&format!("/api/v1/traces/{id}/feedback")).await.expect(404);
    assert_eq!(facts(&retrace).await, facts_before, "an event is gone");
    for (path, used) in ["/api/v1/usage", "/api/v1/usage/daily"].into_iter().zip(&used) {
        let again = client.get(path).await.expect(200).json();
        assert_eq!(without(again, &["storage_bytes"]), without(used.clone(), &["storage_bytes"]), "{path}");
    }
    retrace.assert_exact().await;
}

/// Every write of the log that a projection for usage or audit would read: id, kind, who.
async fn facts(retrace: &Retrace) -> Vec<(String, String, String)> {
    let records = retrace.log(topics::TELEMETRY).await;
    let envelopes = records.into_iter().map(|record| record.envelope.unwrap());
    let mut facts: Vec<_> =
        envelopes.map(|envelope| (envelope.id.to_string(), envelope.kind, envelope.actor)).collect();
    facts.sort();
    facts
}

/// Where each needle was found.
#[derive(Debug)]
struct Evidence {
    /// Any file of any engine, as it is.
    files: Vec<bool>,
    /// ClickHouse's columns, decompressed.
    clickhouse: Vec<bool>,
    /// The log, opened with every key that is left.
    log: Vec<bool>,
}

impl Evidence {
    fn any(&self, needle: usize) -> bool {
        self.files[needle] || self.clickhouse[needle] || self.log[needle]
    }

    fn gather(retrace: &Retrace, needles: &[&[u8]]) -> Evidence {
        let mut evidence = Evidence {
            files: vec![false; needles.len()],
            clickhouse: vec![false; needles.len()],
            log: vec![false; needles.len()],
        };
        let data = futures_free(engines());
        walk(data, &mut |path, bytes| {
            look(&bytes, needles, &mut evidence.files);
            if path.extension().is_some_and(|kind| kind == "bin") {
                for block in blocks(&bytes) {
                    look(&block, needles, &mut evidence.clickhouse);
                }
            }
        });
        for plain in opened_log(retrace) {
            look(&plain, needles, &mut evidence.log);
        }
        evidence
    }
}

fn futures_free(world: impl Future<Output = &'static crate::harness::World>) -> &'static Path {
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(world)).stack.data()
}

fn look(bytes: &[u8], needles: &[&[u8]], found: &mut [bool]) {
    for (needle, found) in needles.iter().zip(found) {
        *found = *found || memchr::memmem::find(bytes, needle).is_some();
    }
}

fn walk(folder: &Path, each: &mut impl FnMut(&Path, Vec<u8>)) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => walk(&path, each),
            // Files come and go while engines merge.
            Ok(kind) if kind.is_file() => {
                if let Ok(bytes) = std::fs::read(&path) {
                    each(&path, bytes);
                }
            }
            _ => {}
        }
    }
}

/// ClickHouse's compressed blocks: checksum, method, sizes, data.
fn blocks(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut blocks = Vec::new();
    let mut at = 0;
    while let Some(header) = bytes.get(at + 16..at + 25) {
        let size = |place: usize| u32::from_le_bytes(header[place..place + 4].try_into().unwrap()) as usize;
        let (packed, plain) = (size(1), size(5));
        let Some(data) = bytes.get(at + 25..at + 16 + packed) else { break };
        let block = match header[0] {
            0x82 => lz4_flex::block::decompress(data, plain).ok(),
            0x90 => zstd::bulk::decompress(data, plain).ok(),
            0x02 => Some(data.to_vec()),
            _ => None,
        };
        blocks.extend(block);
        at += 16 + packed;
    }
    blocks
}

/// Every record of the topic, from the beginning.
fn records(retrace: &Retrace, topic: &str, mut each: impl FnMut(&rdkafka::message::BorrowedMessage<'_>)) {
    let consumer: BaseConsumer =
        consumer_config(&retrace.settings, "checker").set("enable.partition.eof", "true").create().unwrap();
    let name = retrace.settings.topic(topic);
    for partition in 0..topics::PARTITIONS {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&name, partition, Offset::Beginning).unwrap();
        consumer.assign(&list).unwrap();
        loop {
            match consumer.poll(Duration::from_secs(5)) {
                Some(Ok(message)) => each(&message),
                Some(Err(rdkafka::error::KafkaError::PartitionEOF(_))) => break,
                other => panic!("{name}: {other:?}"),
            }
        }
    }
}

fn all_keys(retrace: &Retrace) -> Vec<(String, Vec<u8>)> {
    let mut keys = Vec::new();
    records(retrace, topics::KEYS, |message| {
        let parsed = message.key().and_then(sealing::parse_key_record_key).map(|(_, trace, _)| trace.to_owned());
        if let (Some(trace), Some(secret)) = (parsed, message.payload()) {
            keys.push((trace, secret.to_vec()));
        }
    });
    keys
}

fn keys_of(retrace: &Retrace, id: &str) -> Vec<Vec<u8>> {
    all_keys(retrace).into_iter().filter(|(trace, _)| trace == id).map(|(_, secret)| secret).collect()
}

/// What can be read of the log's contents by trying every key on every record.
fn opened_log(retrace: &Retrace) -> Vec<Vec<u8>> {
    let keys: Vec<[u8; 32]> = all_keys(retrace).into_iter().map(|(_, secret)| secret.try_into().unwrap()).collect();
    let mut opened = Vec::new();
    records(retrace, topics::TELEMETRY, |message| {
        let record = Received::read(message).unwrap();
        let sealed = match Event::decode(&record.envelope.kind, &record.value) {
            Some(Ok(Event::TraceRecorded(event))) => event.content,
            Some(Ok(Event::ContentChunk(event))) => Some(event.content),
            Some(Ok(Event::FeedbackGiven(event))) => Some(event.content),
            Some(Ok(Event::RootCauseFound(event))) => Some(event.content),
            _ => None,
        };
        if let Some(sealed) = sealed {
            opened.extend(keys.iter().find_map(|key| sealing::open(key, record.envelope.id, &sealed).ok()));
        }
        opened.push(record.value);
    });
    opened
}
