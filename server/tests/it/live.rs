//! The live socket: each clause of what clients are promised, frame by frame.

mod answers;
mod clients;
mod commands;
mod ends;
mod run;
pub mod socket;

use std::collections::HashSet;

use schemas::topics;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::Retrace;
use run::{Run, numbered};
use socket::Socket;

/// With all that was acked before.
async fn read(retrace: &Retrace, run: &Run) -> Value {
    retrace.settled().await;
    retrace.client.get(&run.path()).await.expect(200).json()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_acked_once_it_is_durable_and_read_back_whole() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let run = Run::new(3);
    let frames = numbered(run.frames(), 1);
    let mut socket = Socket::at(client, "//ws/v1/stream").await;
    socket.send(&json!({"type": "auth", "api_key": client.key, "acks": true})).await;
    assert_eq!(socket.next().await, json!({"type": "auth_ok"}));
    let mut acked = HashSet::new();
    for frame in &frames {
        socket.send(frame).await;
        let ack = socket.next().await;
        assert_eq!((&ack["type"], &ack["id"], &ack["seq"]), (&json!("ack"), &frame["data"]["id"], &frame["seq"]));
        acked.insert(ack["seq"].as_u64());
    }
    assert_eq!(acked.len(), frames.len());
    run.assert_whole(&read(&retrace, &run).await);
    // The log had it before the ack.
    assert!(!retrace.log(topics::TELEMETRY).await.is_empty());

    // Sent again, by another connection and in disorder, it is there once; the start does not undo the end.
    let mut again = Socket::with_acks(client).await;
    again.feed(numbered(run.frames().into_iter().rev(), 100)).await;
    assert_eq!(again.acks(frames.len()).await.len(), frames.len());
    run.assert_whole(&read(&retrace, &run).await);
    assert_eq!(client.get("/api/v1/traces").await.json()["total"], 1);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_arrives_together_makes_few_records() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let run = Run::new(500);
    let before = retrace.log(topics::TELEMETRY).await.len();
    let mut socket = Socket::with_acks(client).await;
    let frames = numbered(run.frames(), 1);
    socket.feed(frames.clone()).await;
    assert_eq!(socket.acks(frames.len()).await, (1..=frames.len() as u64).collect::<Vec<_>>());
    let records = retrace.log(topics::TELEMETRY).await.len() - before;
    assert!(records < frames.len() / 5, "{records} records of {} frames", frames.len());
    run.assert_whole(&read(&retrace, &run).await);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_span_need_not_name_its_trace() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let run = Run::new(2);
    let ended = |n: usize| {
        let mut frame = run.span_ended(n);
        frame["data"].as_object_mut().unwrap().remove("trace_id");
        frame
    };
    let mut socket = Socket::without_acks(client).await;
    socket.feed([run.started(), run.span_started(0), ended(0), run.span_started(1)]).await;
    socket.is_quiet().await;
    drop(socket);
    // Known from before: also on another connection, that asks for acks.
    let mut socket = Socket::with_acks(client).await;
    socket.feed(numbered([ended(1), run.ended()], 1)).await;
    assert_eq!(socket.acks(2).await, [1, 2]);
    run.assert_whole(&read(&retrace, &run).await);
    // Not known, and not another tenant's.
    let unknown = json!({"type": "span_ended", "data": {"id": Uuid::new_v4(), "output": 1}});
    let mut other = Socket::with_acks(&retrace.key_of("other", "ann").await).await;
    for (socket, frame) in [(&mut socket, unknown), (&mut other, ended(0))] {
        socket.feed(numbered([frame], 7)).await;
        let error = socket.error().await;
        assert!(error.starts_with("span_ended: trace_id is missing, and of the span"), "{error}");
        assert!(error.ends_with("Span not found"), "{error}");
        assert_eq!(socket.acks(1).await, [7]);
    }
    retrace.assert_exact().await;
}

/// Client 0.11 ends its runs over HTTP as well, mostly before the socket has said that they began.
#[tokio::test(flavor = "multi_thread")]
async fn a_patch_may_come_before_the_start() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let run = Run::new(1);
    let patch = json!({"status": "completed", "output": "done", "ended_at": run.at(3), "total_tokens": 17,
        "total_cost": 4.8e-06, "total_duration_ms": 3000});
    client.patch(&run.path(), &patch).await.expect(200);
    let mut socket = Socket::without_acks(client).await;
    socket.feed(run.frames()).await;
    socket.is_quiet().await;
    drop(socket);
    run.assert_whole(&read(&retrace, &run).await);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_values_are_repaired_and_noted() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let run = Run::new(1);
    let (id, span) = (&run.id, &run.spans[0]);
    let mut socket = Socket::with_acks(client).await;
    for frame in [
        format!(
            r#"{{"type":"trace_started","data":{{"id":"{id}","input":{{"v":[NaN,-Infinity,1e300]}},"output":"\ud800"}},"seq":1}}"#
        ),
        format!(
            r#"{{"type":"span_started","data":{{"id":"{span}","trace_id":"{id}","span_type":"llm_call","name":"",
                "started_at":"2026-11-20T10:00:00Z","logprobs":[NaN],"output":{{"":1000000000000000000000000000000}},"cost":NaN}},"seq":2}}"#
        ),
        format!(
            r#"{{"type":"span_ended","data":{{"id":"{span}","trace_id":"{id}","output":"a\u0000b","ended_at":"2026-11-20T10:00:01Z"}},"seq":3}}"#
        ),
        format!(r#"{{"type":"trace_ended","data":{{"id":"{id}"}},"seq":4}}"#),
    ] {
        socket.send_text(&frame).await;
    }
    assert_eq!(socket.acks(4).await, [1, 2, 3, 4]);
    let read = read(&retrace, &run).await;
    assert_eq!((&read["status"], &read["output"]), (&json!("completed"), &json!("\u{fffd}")));
    assert_eq!((&read["spans"][0]["output"], &read["spans"][0]["logprobs"]), (&json!("a\u{0}b"), &json!([null])));
    let warnings: Vec<&str> = read["warnings"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
    let not_finite = "held a number that is not finite, kept as null";
    assert_eq!(
        warnings,
        [
            format!("input {not_finite}"),
            "output held a lone surrogate, kept as U+FFFD".to_owned(),
            format!("span {span}: logprobs {not_finite}"),
            format!("span {span}: cost {not_finite}"),
        ]
    );
    retrace.assert_exact().await;
}
