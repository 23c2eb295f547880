//! Each engine down in turn: what goes on, what is refused, and that all is well afterwards.

use std::time::{Duration, Instant};

use engines::Engine;
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use super::{KEYS, Request, TRACES, Watch, all_answered, all_refused, path, trace, wrong_names};
use crate::harness::{Client, Process, Retrace, environment, eventually, free_port, outage};

/// Of a write that Kafka does not acknowledge.
const PRODUCE_TIMEOUT_MS: u32 = 3_000;
/// librdkafka looks for what is overdue once a second.
const REFUSED_WITHIN: Duration = Duration::from_millis(PRODUCE_TIMEOUT_MS as u64 + 4_000);
/// The errors that a client of Kafka gathered during the outage are no reason to be late after it.
const CAUGHT_UP_WITHIN: Duration = Duration::from_secs(5);
/// What is asked of a store that refuses connections.
const AT_ONCE: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn while_kafka_is_down_nothing_is_acknowledged_and_reads_go_on() {
    let (_alone, world) = outage().await;
    let retrace = Retrace::alone(|settings| settings.produce_timeout_ms = PRODUCE_TIMEOUT_MS).await;
    let client = &retrace.client;
    let ann = retrace.key_of("acme", "ann").await;
    let [kept, doomed, fresh, lost] = std::array::from_fn(|_| Uuid::new_v4());
    let posted = client.post(TRACES, &trace(kept, 0..2)).await.expect(201);
    client.post(TRACES, &trace(doomed, 0..1)).await.expect(201);
    let judge = format!("{}/feedback", path(kept));
    client.post(&judge, &json!({"value": 1})).await.expect(201);
    retrace.settled().await;
    let before = client.get(&path(kept)).await.expect(200).json();
    let as_before = before.clone();
    // Also while it goes and comes back.
    let watch = Watch::on(client, path(kept), move |answer| answer.status == 200 && answer.json() == as_before);

    world.stack.stop_engine(Engine::Kafka).await;
    let writes = [
        (201, Request::post(TRACES, trace(fresh, 0..3))),
        (201, Request::post(TRACES, trace(kept, 1..4))),
        (201, Request::post(TRACES, json!({"name": "once"})).with("idempotency-key", "k")),
        (200, Request { body: Some(json!({"output": "later"})), ..Request::new(Method::PATCH, path(kept)) }),
        (200, Request::post(format!("{}/golden", path(kept)), json!({"golden": true}))),
        (201, Request::post(&*judge, json!({"value": -1}))),
        (204, Request::new(Method::DELETE, path(doomed))),
    ];
    let keys = [(201, Request::post(KEYS, json!({}))), (204, Request::new(Method::DELETE, KEYS))];
    let mut refused: Vec<Request> = writes.iter().map(|(_, request)| request.clone()).collect();
    refused.push(Request::post(TRACES, trace(lost, 0..3)));
    let refused_keys: Vec<Request> = keys.iter().map(|(_, request)| request.clone()).collect();
    let (slowest, _) =
        tokio::join!(all_refused(client, &refused, REFUSED_WITHIN), all_refused(&ann, &refused_keys, REFUSED_WITHIN));
    eprintln!("Kafka down: the slowest refusal took {slowest:?}");
    let reads = [
        (200, Request::get(TRACES)),
        (200, Request::get(path(doomed))),
        (200, Request::get(path(kept)).with("x-retrace-after", posted.position())),
        (200, Request::get(format!("{}/spans?limit=1", path(kept)))),
        (200, Request::get(&*judge)),
        (200, Request::get(KEYS)),
        (200, Request::get("/healthz")),
        (200, Request::get("/docs")),
        // That it is nowhere cannot be known.
        (503, Request::get(path(lost))),
    ];
    all_answered(client, &reads, AT_ONCE).await;
    assert_eq!(wrong_names(client).await, ["kafka"]);

    let back = Instant::now();
    world.stack.start_engine(Engine::Kafka).await.unwrap();
    assert_eq!(Request::get(path(lost)).until_answered(client).await.status, 404, "a refused write came after all");
    watch.end().await;
    // A client sends what was refused again, and once more where an answer is lost.
    for (right, request) in &writes {
        let answer = request.until_answered(client).await.expect(*right);
        if request.method != Method::DELETE {
            let again = request.until_answered(client).await.expect(*right);
            assert!(request.header.is_none() || answer.position() == again.position(), "recorded twice");
        }
    }
    eprintln!("Kafka down: everything is accepted again after {:?}", back.elapsed());
    let created = keys[0].1.until_answered(&ann).await.expect(201).json();
    let renewed = ann.with_key(created["key"].as_str().unwrap());
    ann.get(TRACES).await.expect(401);
    keys[1].1.until_answered(&renewed).await.expect(204);
    let accepted = Instant::now();
    retrace.settled().await;
    let late = accepted.elapsed();
    eprintln!("Kafka down: caught up {late:?} after the last answer");
    assert!(late < CAUGHT_UP_WITHIN, "caught up only after {late:?}");
    let after = client.get(&path(kept)).await.expect(200).json();
    assert_eq!((after["spans"].as_array().unwrap().len(), after["span_count"].as_u64()), (4, Some(4)));
    assert_eq!((after["golden"].as_bool(), after["output"].as_str()), (Some(true), Some("later")));
    assert_eq!(client.get(&judge).await.expect(200).json()["feedback"]["value"], -1);
    assert_eq!(client.get(&path(fresh)).await.expect(200).json()["span_count"], 3);
    client.get(&path(doomed)).await.expect(404);
    assert_eq!(client.get(TRACES).await.expect(200).json()["total"], 3);
    assert!(wrong_names(client).await.is_empty());
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_clickhouse_is_down_traces_are_accepted_and_what_needs_a_read_is_refused() {
    let (_alone, world) = outage().await;
    let retrace = Retrace::alone(|_| {}).await;
    let client = &retrace.client;
    let kept = Uuid::new_v4();
    let posted = client.post(TRACES, &trace(kept, 0..2)).await.expect(201);
    retrace.settled().await;
    let watch = Watch::on(client, path(kept), |answer| {
        answer.status == 503 || (answer.status == 200 && answer.json()["spans"].as_array().unwrap().len() >= 2)
    });

    world.stack.stop_engine(Engine::ClickHouse).await;
    let news: Vec<Uuid> = (0..60).map(|_| Uuid::new_v4()).collect();
    let mut writes: Vec<_> = news.iter().map(|id| (201, Request::post(TRACES, trace(*id, 0..3)))).collect();
    writes.push((201, Request::post(TRACES, trace(kept, 1..5))));
    writes.push((200, Request { body: Some(json!({"output": "later"})), ..Request::new(Method::PATCH, path(kept)) }));
    writes.push((201, Request::post(TRACES, json!({"name": "once"})).with("idempotency-key", "k")));
    all_answered(client, &writes, AT_ONCE).await;
    let judge = format!("{}/feedback", path(kept));
    let needs_a_read = [
        (200, Request::get(path(kept))),
        (200, Request::get(path(news[0]))),
        (200, Request::get(path(kept)).with("x-retrace-after", posted.position())),
        (200, Request::get(TRACES)),
        (200, Request::get(format!("{}/spans", path(kept)))),
        (200, Request::get(&*judge)),
        (404, Request::get(path(Uuid::new_v4()))),
        (201, Request::post(&*judge, json!({"value": -1}))),
        (200, Request::post(format!("{}/golden", path(kept)), json!({"golden": true}))),
        (204, Request::new(Method::DELETE, path(news[1]))),
    ];
    let refused: Vec<Request> = needs_a_read.iter().map(|(_, request)| request.clone()).collect();
    let slowest = all_refused(client, &refused, AT_ONCE).await;
    eprintln!("ClickHouse down: the slowest refusal took {slowest:?}");
    assert_eq!(wrong_names(client).await, ["clickhouse"]);
    // What needs other stores goes on.
    let ann = retrace.key_of("acme", "ann").await;
    ann.post(KEYS, &json!({})).await.expect(201);

    let back = Instant::now();
    world.stack.start_engine(Engine::ClickHouse).await.unwrap();
    retrace.settled().await;
    eprintln!("ClickHouse down: the projection has caught up {:?} after the start", back.elapsed());
    watch.end().await;
    for id in &news {
        assert_eq!(client.get(&path(*id)).await.expect(200).json()["spans"].as_array().unwrap().len(), 3);
    }
    let after = client.get(&path(kept)).await.expect(200).json();
    assert_eq!((after["spans"].as_array().unwrap().len(), after["output"].as_str()), (5, Some("later")));
    for (right, request) in &needs_a_read {
        request.until_answered(client).await.expect(*right);
    }
    assert!(wrong_names(client).await.is_empty());
    retrace.settled().await;
    assert_eq!(client.get(TRACES).await.expect(200).json()["total"], news.len() + 1);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_postgres_is_down_traces_are_recorded_and_read() {
    let (_alone, world) = outage().await;
    let retrace = Retrace::alone(|_| {}).await;
    let client = &retrace.client;
    let ann = retrace.key_of("acme", "ann").await;
    let bob = retrace.key_of("acme", "bob").await;
    let [kept, fresh] = std::array::from_fn(|_| Uuid::new_v4());
    client.post(TRACES, &trace(kept, 0..2)).await.expect(201);
    retrace.settled().await;
    client.get(&path(kept)).await.expect(200);

    world.stack.stop_engine(Engine::Postgres).await;
    let appends = [
        (201, Request::post(TRACES, trace(fresh, 0..3))),
        (200, Request { body: Some(json!({"output": "later"})), ..Request::new(Method::PATCH, path(kept)) }),
    ];
    let slowest = all_answered(client, &appends, AT_ONCE).await;
    eprintln!("Postgres down: the slowest append took {slowest:?}");
    let judge = format!("{}/feedback", path(kept));
    // The generation that was read last stays in use: ClickHouse is all that these need.
    let reads = [
        (200, Request::get(path(kept))),
        (200, Request::get(TRACES)),
        (200, Request::get(format!("{}/spans", path(kept)))),
        (201, Request::post(&*judge, json!({"value": 1}))),
        (200, Request::post(format!("{}/golden", path(kept)), json!({"golden": true}))),
    ];
    let slowest = all_answered(client, &reads, Duration::from_secs(10)).await;
    eprintln!("Postgres down: the slowest read of a trace took {slowest:?}");
    // The projection goes on as well.
    assert_eq!(Request::get(path(fresh)).until_answered(client).await.expect(200).json()["span_count"], 3);
    let needs_postgres = [
        (201, Request::post(KEYS, json!({}))),
        (200, Request::get(KEYS)),
        (201, Request::post(TRACES, json!({"name": "once"})).with("idempotency-key", "k")),
    ];
    let refused: Vec<Request> = needs_postgres.iter().map(|(_, request)| request.clone()).collect();
    let slowest = all_refused(&ann, &refused, Duration::from_secs(10)).await;
    eprintln!("Postgres down: the slowest refusal took {slowest:?}");
    let unknown = client.with_key("rt_never_made");
    all_refused(&unknown, &[Request::get(TRACES)], Duration::from_secs(10)).await;
    assert_eq!(wrong_names(client).await, ["postgres"]);
    // A revocation needs no store.
    all_answered(&bob, &[(204, Request::new(Method::DELETE, KEYS))], AT_ONCE).await;
    bob.post(TRACES, &json!({})).await.expect(401);
    a_node_starts_without_postgres(&retrace, client, &bob).await;

    world.stack.start_engine(Engine::Postgres).await.unwrap();
    eventually("all is well again", async || wrong_names(client).await.is_empty()).await;
    unknown.get(TRACES).await.expect(401);
    bob.get(TRACES).await.expect(401);
    for (right, request) in needs_postgres[1..].iter().chain(&needs_postgres[..1]) {
        request.until_answered(&ann).await.expect(*right);
    }
    ann.get(TRACES).await.expect(401);
    retrace.settled().await;
    let after = client.get(&path(kept)).await.expect(200).json();
    assert_eq!((after["golden"].as_bool(), after["output"].as_str()), (Some(true), Some("later")));
    assert_eq!(client.get(TRACES).await.expect(200).json()["total"], 3);
    retrace.assert_exact().await;
}

/// It reads from the log who may write.
async fn a_node_starts_without_postgres(retrace: &Retrace, known: &Client, revoked: &Client) {
    let folder = tempfile::tempdir().unwrap();
    let listen = format!("127.0.0.1:{}", free_port());
    let url = format!("http://{listen}");
    let mut environment = environment(&retrace.settings);
    environment.push(("RETRACE_LISTEN".into(), listen));
    let _ingest = Process::start(folder.path(), "ingest", &["ingest"], &environment);
    let (known, revoked) = (known.at(&url), revoked.at(&url));
    eventually("the node", async || known.try_send(Method::GET, "/readyz", &[], None).await.is_ok()).await;
    known.post(TRACES, &json!({"name": "recorded by a node that never saw Postgres"})).await.expect(201);
    revoked.post(TRACES, &json!({})).await.expect(401);
}
