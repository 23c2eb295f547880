//! `retrace rebuild`: the next generation is filled beside the live one, and nobody notices the switch.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use retrace_server::commands::rebuild::rebuild;
use runtime::Settings;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::harness::{Client, Retrace, eventually};

/// Longer than the read side keeps the old generation in mind.
const LONGEST_READ: Duration = Duration::from_secs(2);

/// (generation, live, retired), in order.
async fn generations(settings: &Settings, projection: &str) -> Vec<(i32, bool, bool)> {
    let pool = runtime::postgres::pool(settings).unwrap();
    let sql = "SELECT generation, live, retired FROM generations WHERE projection = $1 ORDER BY generation";
    sqlx::query_as(sql).bind(projection).fetch_all(&pool).await.unwrap()
}

/// Generations of the traces that have a table.
pub async fn tables(settings: &Settings) -> Vec<String> {
    let sql = "SELECT DISTINCT extract(name, '_(g[0-9]+)$') AS generation FROM system.tables WHERE database = ? AND name NOT LIKE 'audit%' ORDER BY generation";
    let client = migrations::clickhouse::client(settings);
    client.query(sql).bind(&settings.clickhouse_database).fetch_all().await.unwrap()
}

async fn schemas(settings: &Settings) -> Vec<String> {
    let pool = runtime::postgres::pool(settings).unwrap();
    let sql = "SELECT nspname::text FROM pg_namespace WHERE nspname LIKE 'workspace_g%' ORDER BY 1";
    sqlx::query_scalar(sql).fetch_all(&pool).await.unwrap()
}

fn trace(id: Uuid, spans: usize) -> Value {
    let spans: Vec<Value> = (0..spans)
        .map(|n| json!({"id": format!("{:016x}", n + 1), "span_type": "llm_call", "model": "gpt-4o-mini", "input_tokens": 10 * n, "output_tokens": n, "started_at": "2025-11-20T10:00:00Z", "input": {"n": n}}))
        .collect();
    json!({"id": id, "name": "rebuilt", "project_id": "p", "status": "completed", "started_at": "2025-11-20T10:00:00Z", "ended_at": "2025-11-20T10:00:01Z", "spans": spans})
}

/// Traces of every kind: plain, sent twice, judged, deleted.
async fn record(client: &Client, count: usize) -> Vec<Uuid> {
    let mut kept = Vec::new();
    for n in 0..count {
        let id = Uuid::new_v4();
        let path = format!("/api/v1/traces/{id}");
        for _ in 0..=n % 2 {
            client.post("/api/v1/traces", &trace(id, n % 4)).await.expect(201);
        }
        if n % 10 == 1 {
            client.post(&format!("{path}/feedback"), &json!({"value": 1, "note": "yes"})).await.expect(201);
            client.post(&format!("{path}/golden"), &json!({"golden": true})).await.expect(200);
        }
        if n % 10 == 2 {
            client.delete(&path).await.expect(204);
        } else {
            kept.push(id);
        }
    }
    kept
}

/// Adds a span at a time to one trace, and reads it back: what was written is there, and nothing goes back.
async fn grow(client: Client, id: Uuid, done: Arc<AtomicBool>) -> usize {
    let mut spans = 0;
    while !done.load(Ordering::Relaxed) {
        spans += 1;
        let span = json!({"id": format!("{spans:016x}"), "span_type": "action", "started_at": "2025-11-20T10:00:00Z"});
        let posted = client.post("/api/v1/traces", &json!({"id": id, "spans": [span]})).await.expect(201);
        let read = client.get_after(&format!("/api/v1/traces/{id}"), &posted.position()).await;
        assert_eq!(read.status, 200, "after {spans} writes: {}", read.text);
        assert_eq!(read.json()["span_count"], spans, "a read does not see the write that it waited for");
    }
    spans
}

/// Traces that are only added: their number never falls.
async fn watch(client: Client, known: Vec<Uuid>, reads: Arc<AtomicUsize>, done: Arc<AtomicBool>) {
    let mut total = 0;
    while !done.load(Ordering::Relaxed) {
        let list = client.get("/api/v1/traces?project_id=p&limit=1").await.expect(200).json();
        let found = list["total"].as_u64().unwrap();
        assert!(found >= total, "the list went back from {total} to {found}");
        total = found;
        let at = reads.fetch_add(1, Ordering::Relaxed);
        let id = known[at % known.len()];
        client.get(&format!("/api/v1/traces/{id}")).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn traces_are_rebuilt_while_writes_and_reads_go_on() {
    let retrace = Retrace::start().await;
    let client = retrace.client.clone();
    let known = record(&client, 60).await;
    retrace.settled().await;
    let (done, reads, growing) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)), Uuid::new_v4());
    let mut tasks = JoinSet::new();
    tasks.spawn(watch(client.clone(), known, Arc::clone(&reads), Arc::clone(&done)));
    let (writer, ended) = (client.clone(), Arc::clone(&done));
    tasks.spawn(async move {
        while !ended.load(Ordering::Relaxed) {
            writer.post("/api/v1/traces", &trace(Uuid::new_v4(), 2)).await.expect(201);
        }
    });
    let grown = tokio::spawn(grow(client.clone(), growing, Arc::clone(&done)));
    for generation in 2..4 {
        rebuild(&retrace.settings, "traces", LONGEST_READ).await.unwrap();
        assert_eq!(generations(&retrace.settings, "traces").await.last(), Some(&(generation, true, false)));
        assert_eq!(tables(&retrace.settings).await, [format!("g{generation}")]);
    }
    done.store(true, Ordering::Relaxed);
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    let spans = grown.await.unwrap();
    assert!(reads.load(Ordering::Relaxed) > 20 && spans > 5, "{reads:?} reads, {spans} spans");
    assert_eq!(generations(&retrace.settings, "traces").await, [(1, false, true), (2, false, true), (3, true, false)]);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_rebuild_goes_on() {
    let mut retrace = Retrace::start().await;
    record(&retrace.client, 20).await;
    let settings = Arc::clone(&retrace.settings);
    let begin = |longest_read| {
        let settings = Arc::clone(&settings);
        tokio::spawn(async move { rebuild(&settings, "traces", longest_read).await })
    };
    // While it is filled: no projector runs, so that it stays unfilled.
    retrace.stop().await;
    let interrupted = begin(LONGEST_READ);
    eventually("the next generation", async || generations(&settings, "traces").await.len() == 2).await;
    interrupted.abort();
    assert!(interrupted.await.unwrap_err().is_cancelled());
    let retrace = retrace.restart().await;
    rebuild(&settings, "traces", LONGEST_READ).await.unwrap();
    assert_eq!(generations(&settings, "traces").await, [(1, false, true), (2, true, false)]);
    // Between the switch and the end of the old generation.
    let interrupted = begin(Duration::from_secs(600));
    eventually("the switch", async || generations(&settings, "traces").await.last() == Some(&(3, true, false))).await;
    interrupted.abort();
    assert!(interrupted.await.unwrap_err().is_cancelled());
    assert_eq!(tables(&settings).await, ["g2", "g3"]);
    rebuild(&settings, "traces", LONGEST_READ).await.unwrap();
    let after = generations(&settings, "traces").await;
    let live = after.iter().find(|(_, live, _)| *live).unwrap().0;
    assert_eq!(tables(&settings).await, [format!("g{live}")], "{after:?}");
    assert!(after.iter().all(|(_, live, retired)| live != retired), "{after:?}");
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_workspace_is_rebuilt_while_keys_are_made_and_revoked() {
    let retrace = Retrace::start().await;
    let settings = Arc::clone(&retrace.settings);
    let ann = retrace.key_of("acme", "ann").await;
    let gone = retrace.key_of("acme", "bob").await;
    gone.delete("/api/v1/api-keys").await.expect(204);
    let done = Arc::new(AtomicBool::new(false));
    let (mut user, ended) = (retrace.key_of("globex", "eve").await, Arc::clone(&done));
    let renewing = tokio::spawn(async move {
        while !ended.load(Ordering::Relaxed) {
            let created = user.post("/api/v1/api-keys", &json!({})).await.expect(201).json();
            user = user.with_key(created["key"].as_str().unwrap());
            assert_eq!(user.get("/api/v1/api-keys").await.expect(200).json()["prefix"], created["prefix"]);
        }
        user
    });
    rebuild(&settings, "workspace", LONGEST_READ).await.unwrap();
    done.store(true, Ordering::Relaxed);
    let eve = renewing.await.unwrap();
    assert_eq!(generations(&settings, "workspace").await, [(1, false, true), (2, true, false)]);
    assert_eq!(schemas(&settings).await, ["workspace_g2"]);
    // Also those that start now read the new generation.
    let retrace = retrace.restart().await;
    for user in [&ann, &eve, &retrace.client] {
        user.post("/api/v1/traces", &trace(Uuid::new_v4(), 1)).await.expect(201);
    }
    gone.get("/api/v1/traces").await.expect(401);
    retrace.assert_exact().await;
}

async fn update_postgres(pool: &PgPool, sql: &str) {
    assert!(sqlx::query(AssertSqlSafe(sql)).execute(pool).await.unwrap().rows_affected() > 0);
}

/// What `/readyz` says of the projections.
async fn projections(retrace: &Retrace) -> String {
    let answer = retrace.client.get("/readyz").await;
    answer.json()["checks"]["projections"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_of_another_log_stops_the_projection_and_a_rebuild_mends_it() {
    let retrace = Retrace::start().await;
    let kept = record(&retrace.client, 10).await;
    retrace.settled().await;
    let settings = Arc::clone(&retrace.settings);
    let pool = runtime::postgres::pool(&settings).unwrap();
    let client = migrations::clickhouse::client(&settings);
    let another = "ALTER TABLE checkpoints_g1 UPDATE log_id = 'another' WHERE true SETTINGS mutations_sync = 2";
    client.query(another).execute().await.unwrap();
    let retrace = retrace.restart().await;
    eventually("the reason", async || projections(&retrace).await != "ok").await;
    let reason = projections(&retrace).await;
    assert!(reason.contains("retrace.telemetry") && reason.contains("names another log"), "{reason}");
    assert!(reason.contains("run `retrace rebuild`"), "{reason}");
    // What does not need it goes on.
    let posted = retrace.client.post("/api/v1/traces", &trace(Uuid::new_v4(), 1)).await.expect(201);
    let user = retrace.key_of("acme", "ann").await;
    user.get("/api/v1/traces").await.expect(200);
    rebuild(&settings, "traces", LONGEST_READ).await.unwrap();
    let id = posted.json()["id"].as_str().unwrap().to_owned();
    retrace.client.get(&format!("/api/v1/traces/{id}")).await.expect(200);
    retrace.client.get(&format!("/api/v1/traces/{}", kept[0])).await.expect(200);
    eventually("all is well again", async || projections(&retrace).await == "ok").await;

    // The log was restored from before the checkpoint.
    update_postgres(&pool, "UPDATE workspace_g1.checkpoints SET next_offset = next_offset + 1000").await;
    let retrace = retrace.restart().await;
    eventually("the reason", async || projections(&retrace).await != "ok").await;
    let reason = projections(&retrace).await;
    assert!(reason.contains("retrace.workspace") && reason.contains("lies beyond the log's end"), "{reason}");
    assert!(reason.contains("run `retrace rebuild`"), "{reason}");
    rebuild(&settings, "workspace", LONGEST_READ).await.unwrap();
    eventually("all is well again", async || projections(&retrace).await == "ok").await;
    retrace.key_of("acme", "bob").await.get("/api/v1/traces").await.expect(200);
    retrace.assert_exact().await;
}
