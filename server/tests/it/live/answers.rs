//! What is not recorded is said, acked where acks were asked for, and the connection lives on.

use std::time::Duration;

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

use super::run::{Run, numbered};
use super::socket::Socket;
use crate::harness::Retrace;

#[tokio::test(flavor = "multi_thread")]
async fn bad_frames_are_answered_and_survived() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let mut socket = Socket::with_acks(client).await;
    for (text, error) in [
        ("[1,2]", "The frame is not a JSON object"),
        ("{\"type\":", "The frame is not valid JSON"),
        ("null", "The frame is not a JSON object"),
    ] {
        socket.send_text(text).await;
        assert_eq!(socket.error().await, error);
    }
    socket.message(Message::binary(vec![0u8, 255])).await;
    assert_eq!(socket.error().await, "Binary frames are not taken: send text");
    let id = Uuid::new_v4();
    for (n, (frame, error)) in [
        (json!({"type": "nonsense"}), "type is not one of trace_started, span_started, span_ended, trace_ended"),
        (json!({"type": "trace_started"}), "trace_started: data is missing"),
        (json!({"type": "trace_started", "data": []}), "trace_started: data is not a JSON object"),
        (json!({"type": "trace_started", "data": {"name": "x"}}), "trace_started: id is missing"),
        (
            json!({"type": "span_started", "data": {"id": id, "trace_id": "x", "span_type": "llm"}}),
            "span_started: started_at is missing; trace_id is neither a UUID nor a 32-hex OpenTelemetry trace id; \
             span_type is not one of llm_call, tool_call, tool_result, reasoning, action, error, fork_point",
        ),
        (
            json!({"type": "trace_ended", "data": {"id": id, "total_tokens": -1}}),
            "trace_ended: total_tokens is not a whole number",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let frame = numbered([frame], n as u64).remove(0);
        socket.send(&frame).await;
        let said = socket.error().await;
        assert!(said.starts_with(error), "{said}");
        let ack = socket.next().await;
        assert_eq!((&ack["type"], &ack["seq"], &ack["id"]), (&json!("ack"), &json!(n), &frame["data"]["id"]));
    }
    // Without acks, errors alone.
    let mut plain = Socket::without_acks(client).await;
    plain.send(&json!({"type": "trace_started", "seq": 1, "data": {}})).await;
    assert_eq!(plain.error().await, "trace_started: id is missing");
    plain.is_quiet().await;
    // Both go on.
    let run = Run::new(1);
    socket.feed(numbered(run.frames(), 50)).await;
    assert_eq!(socket.acks(4).await, [50, 51, 52, 53]);
    run.assert_whole(&super::read(&retrace, &run).await);
    let run = Run::new(1);
    plain.feed(run.frames()).await;
    plain.is_quiet().await;
    run.assert_whole(&super::read(&retrace, &run).await);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn large_outputs_are_recorded_and_larger_ones_refused_without_an_end() {
    const MOST: usize = 4 << 20;
    let retrace = Retrace::with(|settings| settings.max_body_bytes = MOST).await;
    let client = &retrace.client;
    let mut socket = Socket::with_acks(client).await;
    let run = Run::new(0);
    let mut ended = run.ended();
    let output = "x".repeat(1_500_299);
    ended["data"]["output"] = json!(output);
    socket.feed(numbered([run.started(), ended.clone()], 1)).await;
    assert_eq!(socket.acks(2).await, [1, 2]);
    assert_eq!(super::read(&retrace, &run).await["output"], json!(output));

    ended["data"]["output"] = json!("y".repeat(MOST));
    ended["seq"] = json!(3);
    socket.send(&ended).await;
    let error = socket.error().await;
    assert!(error.contains(&format!("more than {MOST}")), "{error}");
    assert_eq!(socket.next().await, json!({"type": "ack", "id": null, "seq": 3}));
    // Whoever comes after it gets through.
    let next = Run::new(1);
    socket.feed(numbered(next.frames(), 4)).await;
    assert_eq!(socket.acks(4).await, [4, 5, 6, 7]);
    next.assert_whole(&super::read(&retrace, &next).await);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_frames_than_the_rate_are_refused() {
    let retrace = Retrace::with(|settings| {
        settings.rate_live_frames_per_second = 1;
        settings.rate_live_burst = 2;
    })
    .await;
    let mut socket = Socket::with_acks(&retrace.client).await;
    let run = Run::new(1);
    socket.feed(numbered([run.started(), run.span_started(0), run.span_ended(0)], 1)).await;
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(socket.next().await);
    }
    let refused = seen.iter().find(|frame| frame["type"] == "error").unwrap();
    let error = refused["error"].as_str().unwrap();
    assert!(error.contains("Rate limit"), "{error}");
    assert_eq!(seen.iter().filter(|frame| frame["type"] == "ack").count(), 3, "{seen:?}");
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    socket.feed(numbered([run.ended()], 4)).await;
    assert_eq!(socket.acks(1).await, [4]);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_ends_what_may_begin_and_not_what_has_begun() {
    let retrace = Retrace::with(|settings| {
        settings.plans = "small: spans=2".into();
        settings.plan_default = "small".into();
    })
    .await;
    let client = &retrace.client;
    let mut socket = Socket::with_acks(client).await;
    let run = Run::new(3);
    socket.feed(numbered([run.started(), run.span_started(0), run.span_started(1)], 1)).await;
    assert_eq!(socket.acks(3).await, [1, 2, 3]);
    retrace.settled().await;
    // The look at the counts is a second old at most.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    socket.feed(numbered([run.span_started(2)], 4)).await;
    let error = socket.error().await;
    assert!(error.contains("limit reached"), "{error}");
    assert_eq!(socket.acks(1).await, [4]);
    socket.feed(numbered([run.span_ended(0), run.span_ended(1), run.ended()], 5)).await;
    assert_eq!(socket.acks(3).await, [5, 6, 7]);
    let read = super::read(&retrace, &run).await;
    assert_eq!((&read["status"], &read["span_count"]), (&json!("completed"), &json!(2)));
    retrace.assert_exact().await;
}
