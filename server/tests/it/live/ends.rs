//! How connections end, and that nothing is lost when they do.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::run::{Run, numbered};
use super::socket::Socket;
use crate::harness::{Client, Retrace};

async fn refusal(client: &Client, first: Option<Message>) -> (u16, String) {
    let mut socket = Socket::open(client).await;
    if let Some(first) = first {
        socket.message(first).await;
    }
    let (before, code, reason) = socket.closed().await;
    assert_eq!(before, Vec::<Value>::new());
    (code, reason)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_say_whose_it_is_may_not_stay() {
    let retrace = Retrace::with(|settings| settings.live_auth_seconds = 1).await;
    let client = &retrace.client;
    let auth = |key: &str| Message::text(json!({"type": "auth", "api_key": key, "acks": true}).to_string());
    let issue = json!({"name": "reads", "scopes": ["read"]});
    let issued = client.post("/api/v1/api-keys/all", &issue).await.expect(201).json();
    let reads = issued["key"].as_str().unwrap();
    for (first, expected) in [
        (None, "No auth frame within 1 s"),
        (Some(Message::text(Run::new(0).started().to_string())), "The first frame must be {\"type\":\"auth\""),
        (Some(Message::text("[]")), "The first frame must be {\"type\":\"auth\""),
        (Some(Message::binary(vec![1u8])), "The first frame must be the auth frame"),
        (Some(auth("rt_unknown")), "The API key is not known or was revoked"),
        (Some(auth("not a token")), "Bearer tokens are not configured on this server"),
        (Some(auth(reads)), "The API key does not allow this: it lacks the scope ingest"),
    ] {
        let (code, reason) = refusal(client, first).await;
        assert_eq!(code, 4001);
        assert!(reason.starts_with(expected), "{reason}");
    }
    // Not a WebSocket at all.
    let answer = client.get("/ws/v1/stream").await.expect(400);
    assert!(!answer.error().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_ends_its_connections_within_a_second() {
    let retrace = Retrace::start().await;
    let ann = retrace.key_of("acme", "ann").await;
    let issue = json!({"name": "ci", "scopes": ["ingest"]});
    let issued = ann.post("/api/v1/api-keys/all", &issue).await.expect(201).json();
    let (id, ci) = (issued["id"].as_str().unwrap(), ann.with_key(issued["key"].as_str().unwrap()));
    let (mut ends, mut stays) = (Socket::with_acks(&ci).await, Socket::with_acks(&ann).await);
    ann.delete(&format!("/api/v1/api-keys/all/{id}")).await.expect(204);
    let revoked = Instant::now();
    let (_, code, reason) = ends.closed().await;
    assert_eq!((code, reason.as_str()), (4001, "The API key is not known or was revoked"));
    assert!(revoked.elapsed() < Duration::from_millis(1_500), "{:?}", revoked.elapsed());
    stays.feed(numbered(Run::new(0).frames(), 1)).await;
    assert_eq!(stays.acks(2).await, [1, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn pings_are_asked_and_answered() {
    let retrace = Retrace::with(|settings| settings.live_ping_seconds = 1).await;
    let client = &retrace.client;
    let (mut lives, mut dies) = (Socket::with_acks(client).await, Socket::with_acks(client).await);
    let mut plain = Socket::without_acks(client).await;
    lives.message(Message::Ping("x".into())).await;
    assert_eq!(lives.message_in(Duration::from_secs(5)).await, Some(Message::Pong("x".into())));
    for _ in 0..3 {
        assert_eq!(lives.next().await, json!({"type": "ping"}));
        lives.send(&json!({"type": "pong"})).await;
    }
    // Who asked for acks and answers no ping has gone; client 0.11 may not be able to answer.
    let (before, code, _) = dies.closed().await;
    assert_eq!((before, code), (vec![json!({"type": "ping"})], 4002));
    assert_eq!(plain.next().await, json!({"type": "ping"}));
    let run = Run::new(1);
    plain.feed(run.frames()).await;
    crate::harness::eventually("the run", async || {
        let answer = client.get(&run.path()).await;
        answer.status == 200 && answer.json()["status"] == "completed"
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_has_so_many_connections() {
    let retrace = Retrace::with(|settings| settings.live_connections_per_key = 2).await;
    let client = &retrace.client;
    let (first, _second) = (Socket::with_acks(client).await, Socket::with_acks(client).await);
    let auth = || Some(Message::text(json!({"type": "auth", "api_key": client.key}).to_string()));
    assert_eq!(refusal(client, auth()).await.0, 1013);
    let other = retrace.key_of("other", "ann").await;
    let _other = Socket::with_acks(&other).await;
    drop(first);
    crate::harness::eventually("room", async || {
        let mut socket = Socket::open(client).await;
        socket.message(auth().unwrap()).await;
        matches!(socket.message_in(Duration::from_secs(5)).await, Some(Message::Text(_)))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_has_so_many_connections() {
    let retrace = Retrace::with(|settings| settings.live_connections = 2).await;
    let client = &retrace.client;
    let (first, _second) = (Socket::with_acks(client).await, Socket::with_acks(client).await);
    let url = format!("{}/ws/v1/stream", client.base.replace("http://", "ws://"));
    assert!(tokio_tungstenite::connect_async(&url).await.is_err(), "a third");
    drop(first);
    crate::harness::eventually("room", async || tokio_tungstenite::connect_async(&url).await.is_ok()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_acks_what_it_has_read_and_asks_to_come_back() {
    let mut retrace = Retrace::start().await;
    let client = retrace.client.clone();
    let run = Run::new(200);
    let frames = numbered(run.frames(), 1);
    let mut socket = Socket::with_acks(&client).await;
    let mut idle = Socket::without_acks(&client).await;
    socket.feed(frames.clone()).await;
    socket.acks(1).await;
    let stopping = async { retrace.stop().await };
    let ending = async { (socket.closed().await, idle.closed().await) };
    let ((), ((before, code, reason), (_, idle_code, _))) = tokio::join!(stopping, ending);
    assert_eq!((code, idle_code), (1012, 1012));
    assert!(reason.contains("come back"), "{reason}");
    let acked: Vec<u64> = before.iter().filter_map(|frame| frame["seq"].as_u64()).collect();
    // As the client does: what was not acked is sent again, to whoever is there then.
    let retrace = retrace.restart().await;
    let left: Vec<Value> =
        frames.into_iter().filter(|frame| !acked.contains(&frame["seq"].as_u64().unwrap())).collect();
    let mut socket = Socket::with_acks(&retrace.client).await;
    let count = left.len();
    socket.feed(left).await;
    socket.acks(count).await;
    run.assert_whole(&super::read(&retrace, &run).await);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_loses_nothing_that_was_acked() {
    let retrace = Retrace::start().await;
    let run = Run::new(100);
    let frames = numbered(run.frames(), 1);
    let mut socket = Socket::with_acks(&retrace.client).await;
    socket.feed(frames.clone()).await;
    let acked = socket.acks(60).await;
    let retrace = retrace.crash().await;
    let left: Vec<Value> =
        frames.into_iter().filter(|frame| !acked.contains(&frame["seq"].as_u64().unwrap())).collect();
    let mut socket = Socket::with_acks(&retrace.client).await;
    let count = left.len();
    socket.feed(left).await;
    socket.acks(count).await;
    run.assert_whole(&super::read(&retrace, &run).await);
    retrace.assert_exact().await;
}

/// A process that has nothing pending exits without a close; one that sends and goes has sent.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_before_the_client_went_is_recorded() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    for closes in [true, false] {
        let run = Run::new(20);
        let mut socket = Socket::without_acks(client).await;
        socket.feed(run.frames()).await;
        if closes {
            socket.message(Message::Close(None)).await;
        }
        drop(socket);
        crate::harness::eventually("the run", async || {
            let answer = client.get(&run.path()).await;
            answer.status == 200 && answer.json()["status"] == "completed"
        })
        .await;
        run.assert_whole(&super::read(&retrace, &run).await);
    }
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_more_than_can_wait_is_asked_to_come_back() {
    let retrace = Retrace::with(|settings| settings.live_buffer_frames = 20).await;
    let run = Run::new(100);
    let frames = numbered(run.frames(), 1);
    let mut left = frames;
    let mut closed = 0;
    while !left.is_empty() {
        let mut socket = Socket::with_acks(&retrace.client).await;
        // The other side may close while this is written.
        let _ = tokio::time::timeout(Duration::from_secs(10), socket.try_feed(left.clone())).await;
        let (acked, code) = socket.acks_or_close(left.len()).await;
        assert!(code.is_none_or(|code| code == 1013), "{code:?}");
        closed += usize::from(code.is_some());
        assert!(!acked.is_empty(), "no progress with {} left", left.len());
        left.retain(|frame| !acked.contains(&frame["seq"].as_u64().unwrap()));
    }
    assert!(closed > 0, "everything fitted");
    run.assert_whole(&super::read(&retrace, &run).await);
    retrace.assert_exact().await;
}
