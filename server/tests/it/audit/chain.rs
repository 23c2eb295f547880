//! The chain: it stands when content goes, comes back from the log, and shows what was changed in it.

use std::time::Duration;

use rdkafka::producer::{FutureProducer, FutureRecord};
use retrace_server::commands::rebuild::rebuild;
use retrace_server::commands::verify::compare_audit;
use runtime::Settings;
use runtime::kafka::client_config;
use schemas::audit::client;
use schemas::sealing::{SealingKey, key_record_key, parse_key_record_key};
use schemas::topics;
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;
use verify::Report;
use verify::audit::kept;

use super::{EXPORT, HEADS};
use crate::harness::{Client, Retrace};

async fn heads(client: &Client) -> String {
    client.get(HEADS).await.expect(200).text
}

/// With the heads that were kept.
async fn compared(settings: &Settings, heads: &str) -> Report {
    compare_audit(settings, 2, &kept(heads).unwrap()).await.unwrap()
}

async fn rebuilt(retrace: &Retrace) {
    rebuild(&retrace.settings, "audit", Duration::from_secs(2)).await.unwrap();
}

async fn execute(settings: &Settings, sql: &str) {
    let client = migrations::clickhouse::client(settings).with_setting("mutations_sync", "2");
    client.query(sql).execute().await.unwrap();
}

/// A few writes of several kinds; the trace that was deleted.
async fn write(client: &Client) -> Uuid {
    let (kept, gone) = (Uuid::new_v4(), Uuid::new_v4());
    for id in [kept, gone] {
        let trace = json!({"id": id, "name": "secret", "output": "secret"});
        client.post("/api/v1/traces", &trace).await.expect(201);
        client.post(&format!("/api/v1/traces/{id}/feedback"), &json!({"value": 1, "note": "secret"})).await.expect(201);
    }
    let skill = client.post("/api/v1/skills", &json!({"name": "secret"})).await.expect(201).json();
    client.delete(&format!("/api/v1/traces/{gone}")).await.expect(204);
    client.delete(&format!("/api/v1/skills/{}", skill["id"].as_str().unwrap())).await.expect(204);
    gone
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_and_a_rebuild_leave_the_chain_as_it_was() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let gone = write(client).await;
    retrace.settled().await;
    let (told, before) = (client.get(EXPORT).await.expect(200).text, heads(client).await);
    assert!(told.contains(&gone.to_string()) && !told.contains("secret"), "{told}");
    assert_eq!(retrace.erase().await, 2);
    retrace.settled().await;
    assert_eq!((client.get(EXPORT).await.expect(200).text, heads(client).await), (told.clone(), before.clone()));
    let report = compared(&retrace.settings, &before).await;
    assert!(report.is_exact(), "{report}");
    assert!(report.compared["audit_log"] >= 8, "{report}");

    rebuilt(&retrace).await;
    assert_eq!((client.get(EXPORT).await.expect(200).text, heads(client).await), (told, before.clone()));
    write(client).await;
    retrace.settled().await;
    // What was kept still leads to what there is.
    let report = compared(&retrace.settings, &before).await;
    assert!(report.is_exact(), "{report}");
    assert_ne!(heads(client).await, before);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_changed_left_out_or_put_in_is_found() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    write(client).await;
    retrace.settled().await;
    let told = client.get(EXPORT).await.expect(200).json();
    let entries = told["audit_logs"].as_array().unwrap();
    let victim = entries.iter().find(|entry| entry["type"] == "dev.retrace.trace.deleted.v1").unwrap();
    let place = format!(
        "topic = '{}' AND partition = {} AND at_offset = {}",
        victim["topic"].as_str().unwrap(),
        victim["partition"],
        victim["offset"]
    );
    for (generation, statement, found) in [
        (1, format!("UPDATE actor = 'somebody' WHERE {place}"), "actor: expected"),
        (2, format!("UPDATE hash = unhex('00') WHERE {place}"), "hash: expected"),
        (3, format!("DELETE WHERE {place}"), "is missing"),
    ] {
        execute(&retrace.settings, &format!("ALTER TABLE audit_log_g{generation} {statement}")).await;
        let report = compare_audit(&retrace.settings, 1, &[]).await.unwrap();
        assert_eq!(report.total_differences, 1, "{report}");
        assert!(report.differences[0].contains(found), "{report}");
        rebuilt(&retrace).await;
        let report = compare_audit(&retrace.settings, 1, &[]).await.unwrap();
        assert!(report.is_exact(), "{report}");
    }
    for (at_offset, found) in [("0", "the log has no such write"), ("1000000", "beyond the end of the log")] {
        let inserted = format!(
            "INSERT INTO audit_log_g4 SELECT * REPLACE (toUInt64({at_offset}) AS at_offset) FROM (SELECT * FROM audit_log_g4 WHERE {place})"
        );
        execute(&retrace.settings, &inserted).await;
        let report = compare_audit(&retrace.settings, 1, &[]).await.unwrap();
        assert!(report.differences.iter().any(|difference| difference.contains(found)), "{report}");
    }
    rebuilt(&retrace).await;

    // Heads that were kept, of another log than this one.
    let mut other: Value = serde_json::from_str(&heads(client).await).unwrap();
    let count = other["heads"].as_array().unwrap().len();
    other["heads"][0]["hash"] = json!("00");
    other["heads"][1]["offset"] = json!(1_000_000);
    assert!(count >= 2, "{other}");
    let report = compared(&retrace.settings, &other.to_string()).await;
    assert_eq!(report.total_differences, 2, "{report}");
    assert!(report.differences.iter().any(|difference| difference.contains("the log has no such write")), "{report}");
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keys_of_old_months_are_erased() {
    let retrace = Retrace::start().await;
    // A partition that nobody else has keys in, as the oldest records of a topic come first.
    let local = topics::tenant_partition("local", topics::PARTITIONS);
    let tenant =
        (0..).map(|n| format!("t{n}")).find(|name| topics::tenant_partition(name, topics::PARTITIONS) != local);
    let tenant = tenant.unwrap();
    let partition = topics::tenant_partition(&tenant, topics::PARTITIONS);
    let producer: FutureProducer = client_config(&retrace.settings).create().unwrap();
    let now = OffsetDateTime::now_utc();
    for (month, age) in [("audit/2020-01", 2_000), (client::owner(now).as_str(), 0)] {
        let key = SealingKey::generate().unwrap();
        let record_key = key_record_key(&tenant, month, &key.id);
        let topic = retrace.settings.topic(topics::KEYS);
        let record = FutureRecord::to(&topic)
            .partition(partition)
            .key(&record_key)
            .payload(&key.secret[..])
            .timestamp((now - time::Duration::days(age)).unix_timestamp() * 1000);
        producer.send(record, Duration::from_secs(10)).await.unwrap();
    }
    assert_eq!(retrace.erase().await, 1);
    let left = retrace.log(topics::KEYS).await.into_iter().filter(|record| record.value.is_some());
    let left: Vec<String> = left
        .filter_map(|record| {
            let (of, owner, _) = parse_key_record_key(&record.key)?;
            (of == tenant).then(|| owner.to_owned())
        })
        .collect();
    assert_eq!(left, [client::owner(now)]);
    assert_eq!(retrace.erase().await, 0, "nothing is left to erase");
}
