//! Commands to clients, wherever they hang.

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use super::run::{Run, numbered};
use super::socket::Socket;
use crate::harness::{Client, Retrace, eventually};

/// What the client is told next; it answers pings, as it does.
async fn command(socket: &mut Socket) -> Value {
    loop {
        let frame = socket.next().await;
        match frame["type"].as_str() {
            Some("ping") => socket.send(&json!({"type": "pong"})).await,
            Some("ack") => {}
            _ => return frame,
        }
    }
}

async fn begun(socket: &mut Socket, run: &Run) {
    socket.feed(numbered([run.started()], 1)).await;
    socket.acks(1).await;
}

async fn recorded(client: &Client, socket: &mut Socket) -> Run {
    let run = Run::new(1);
    let frames = numbered(run.frames(), 1);
    let count = frames.len();
    socket.feed(frames).await;
    socket.acks(count).await;
    client.get(&run.path()).await.expect(200);
    run
}

#[tokio::test(flavor = "multi_thread")]
async fn a_halt_ends_the_run_and_tells_its_client() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let run = Run::new(1);
    let (mut records, mut other) = (Socket::with_acks(client).await, Socket::with_acks(client).await);
    begun(&mut records, &run).await;
    let halt = format!("{}/halt", run.path());
    let reason = json!({"reason": "Budget exceeded"});
    assert_eq!(client.post(&halt, &json!({})).await.expect(400).error(), "reason is missing");
    client.post(&format!("/api/v1/traces/{}/halt", Uuid::new_v4()), &reason).await.expect(404);
    retrace.key_of("other", "ann").await.post(&halt, &reason).await.expect(404);
    let answer = client.post(&halt, &reason).await.expect(200);
    assert_eq!(answer.json(), json!({"id": run.id, "status": "failed", "halted": 1}));
    assert_eq!(command(&mut records).await, json!({"type": "halt", "data": {"reason": "Budget exceeded"}}));
    other.is_quiet().await;
    let read = client.get_after(&run.path(), &answer.position()).await.expect(200).json();
    assert_eq!((&read["status"], &read["error"]), (&json!("failed"), &json!("Halted: Budget exceeded")));
    assert!(read["ended_at"].is_string());
    assert_eq!(client.post(&halt, &reason).await.expect(409).error(), "The trace is failed already");
    // What was under way still arrives.
    records.feed(numbered([run.span_started(0)], 2)).await;
    assert_eq!(records.acks(1).await, [2]);
    // A run that nobody records is ended all the same.
    let alone = json!({"name": "posted", "status": "running"});
    let id = client.post("/api/v1/traces", &alone).await.expect(201).json()["id"].as_str().unwrap().to_owned();
    let answer = client.post(&format!("/api/v1/traces/{id}/halt"), &reason).await.expect(200).json();
    assert_eq!(answer["halted"], 0);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_goes_to_the_newest_client_that_recorded_the_name_and_answers() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let mut not_resumable = Socket::with_acks(client).await;
    let run = recorded(client, &mut not_resumable).await;
    let replay = format!("{}/replay", run.path());
    assert_eq!(client.post(&replay, &json!({})).await.expect(409).error(), "No resumable client is connected");

    let mut older = Socket::resumable(client).await;
    recorded(client, &mut older).await;
    let mut newer = Socket::resumable(client).await;
    recorded(client, &mut newer).await;
    let mut newest = Socket::resumable(client).await;
    let recorded_input = json!({});
    let (answer, told) = tokio::join!(client.post(&replay, &recorded_input), command(&mut newer));
    let answer = answer.expect(202).json();
    assert_eq!((&answer["trace_id"], &answer["status"]), (&json!(run.id), &json!("dispatched")));
    let entry = json!({"name": "openai.chat.completions.create", "span_type": "llm_call", "model": "gpt-4o-mini",
        "output": "answer 0", "input_tokens": 12, "output_tokens": 5});
    let data = json!({"traceId": run.id, "traceName": "live-agent", "input": ["hi"], "cassette": [entry]});
    assert_eq!(told, json!({"type": "replay", "data": data}));
    newest.is_quiet().await;

    // It does not answer the ping: the next one is told.
    drop(newest);
    let other_input = json!({"input": ["other"]});
    let (answer, told) = tokio::join!(client.post(&replay, &other_input), command(&mut older));
    answer.expect(202);
    assert_eq!(told["data"]["input"], json!(["other"]));

    client.post(&replay, &json!({"input": {"args": []}})).await.expect(400);
    client.post(&format!("/api/v1/traces/{}/replay", Uuid::new_v4()), &json!({})).await.expect(404);
    let other = retrace.key_of("other", "ann").await;
    other.post(&replay, &json!({})).await.expect(404);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_reach_clients_of_another_node() {
    let retrace = Retrace::start().await;
    let mut settings = (*retrace.settings).clone();
    settings.listen = "127.0.0.1:0".into();
    let other = Retrace::run(settings, false).await;
    let pool = runtime::postgres::pool(&retrace.settings).unwrap();
    eventually("both nodes", async || {
        sqlx::query_scalar::<_, i64>("SELECT count(*) FROM live_nodes").fetch_one(&pool).await.unwrap() == 2
    })
    .await;
    let (here, there) = (&retrace.client, retrace.client.at(&other.client.base));
    let mut socket = Socket::resumable(&there).await;
    let run = recorded(here, &mut socket).await;
    let path = format!("{}/replay", run.path());
    let recorded_input = json!({});
    let (answer, told) = tokio::join!(here.post(&path, &recorded_input), command(&mut socket));
    answer.expect(202);
    assert_eq!((&told["type"], &told["data"]["traceId"]), (&json!("replay"), &json!(run.id)));
    let run = Run::new(0);
    begun(&mut socket, &run).await;
    let reason = json!({"reason": "stop"});
    let answer = here.post(&format!("{}/halt", run.path()), &reason).await.expect(200).json();
    assert_eq!(answer["halted"], 1);
    assert_eq!(command(&mut socket).await["data"], reason);

    // What nodes ask each other is nobody else's.
    let find = json!({"tenant": "local", "wanted": {"resumable": "live-agent"}});
    here.post("/api/v1/internal/live/find", &find).await.expect(401);
    here.post("/api/v1/internal/live/deliver", &json!({})).await.expect(401);
    // A frame that was sent to one node may come again to the other.
    let run = Run::new(2);
    let (mut first, mut second) = (Socket::with_acks(here).await, Socket::with_acks(&there).await);
    for socket in [&mut first, &mut second] {
        socket.feed(numbered(run.frames(), 1)).await;
        assert_eq!(socket.acks(6).await.len(), 6);
    }
    run.assert_whole(&super::read(&retrace, &run).await);
    // A node that has stopped is not asked any more.
    let mut other = other;
    other.stop().await;
    drop(socket);
    let asked = tokio::time::timeout(Duration::from_secs(5), here.post(&path, &json!({}))).await.unwrap();
    asked.expect(409);
    retrace.assert_exact().await;
}
