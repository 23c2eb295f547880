//! What is not accepted says why, by field; what real clients send by mistake is repaired.

use serde_json::json;
use uuid::Uuid;

use crate::harness::Retrace;

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_body_is_named_in_one_answer() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let span = |extra: serde_json::Value| {
        let mut span = json!({"span_type": "llm_call", "started_at": "2026-11-20T10:00:00Z"});
        span.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        json!({"spans": [span]})
    };
    let cycle = json!({"spans": [
        {"id": "00f067aa0ba902b7", "parent_id": "00f067aa0ba902b8", "span_type": "action", "started_at": "2026-11-20T10:00:00Z"},
        {"id": "00f067aa0ba902b8", "parent_id": "00f067aa0ba902b7", "span_type": "action", "started_at": "2026-11-20T10:00:00Z"}]});
    for (body, expected) in [
        (
            json!({"id": "nope", "status": "done", "tags": "a"}),
            "id is neither a UUID nor a 32-hex OpenTelemetry trace id; status is not one of running, completed, failed; tags is not a list of texts",
        ),
        (
            span(json!({"span_type": "llm"})),
            "spans[0].span_type is not one of llm_call, tool_call, tool_result, reasoning, action, error, fork_point",
        ),
        (json!({"spans": [{}]}), "spans[0].span_type is missing; spans[0].started_at is missing"),
        (span(json!({"ended_at": "2026-11-20T09:00:00Z"})), "spans[0].ended_at is before started_at"),
        (span(json!({"input_tokens": -1})), "spans[0].input_tokens is not a whole number from 0 to 100000000000"),
        (span(json!({"cost": -0.5})), "spans[0].cost is negative"),
        (
            span(json!({"started_at": "0001-01-01T00:00:00Z"})),
            "spans[0].started_at is not between 2000-01-01 and tomorrow",
        ),
        (
            span(json!({"started_at": "9999-01-01T00:00:00Z"})),
            "spans[0].started_at is not between 2000-01-01 and tomorrow",
        ),
        (span(json!({"name": "a\u{0}b"})), "spans[0].name contains NUL"),
        (span(json!({"trace_id": Uuid::nil()})), ""),
        (
            json!({"id": Uuid::max(), "spans": [{"trace_id": Uuid::nil(), "span_type": "action", "started_at": "2026-11-20T10:00:00Z"}]}),
            "spans[0].trace_id is not the id of the trace",
        ),
        (cycle, "spans[0].parent_id makes a cycle"),
        (json!({"spans": {}}), "spans is not a list"),
        (json!({"spans": [1]}), "spans[0] is not an object"),
        (json!([1]), "the body is not a JSON object"),
    ] {
        let answer = client.post("/api/v1/traces", &body).await;
        if expected.is_empty() {
            answer.expect(201);
        } else {
            assert_eq!(answer.expect(400).error(), expected);
        }
    }
    let many: Vec<_> = (0..30).map(|_| json!({})).collect();
    assert!(
        client.post("/api/v1/traces", &json!({"spans": many})).await.expect(400).error().ends_with("; and 40 more")
    );
    let too_many: Vec<_> =
        (0..10_001).map(|_| json!({"span_type": "action", "started_at": "2026-11-20T10:00:00Z"})).collect();
    assert_eq!(
        client.post("/api/v1/traces", &json!({"spans": too_many})).await.expect(400).error(),
        "spans has 10001 entries, more than 10000"
    );
    retrace.settled().await;
    assert_eq!(client.get("/api/v1/traces").await.json()["total"], 1, "a refused body leaves nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_bodies_are_refused_in_the_one_form() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    assert_eq!(
        client.post_text("/api/v1/traces", r#"{"name": "x"#).await.expect(400).error(),
        "the body is not valid JSON at line 1 column 11"
    );
    assert!(
        client
            .post_text("/api/v1/traces", &format!(r#"{{"input":{}"#, "[".repeat(100_000)))
            .await
            .expect(400)
            .error()
            .contains("input is nested deeper than 256 levels")
    );
    let not_utf8 =
        client.send(reqwest::Method::POST, "/api/v1/traces", &[], Some(b"{\"name\":\"\xff\"}".to_vec())).await;
    assert_eq!(not_utf8.expect(400).error(), "the body is not UTF-8 at byte 9");
    let form = client
        .send(reqwest::Method::POST, "/api/v1/traces", &[("content-type", "text/plain")], Some(b"{}".to_vec()))
        .await;
    assert!(form.status == 415 || form.status == 201);
    let coded =
        client.send(reqwest::Method::POST, "/api/v1/traces", &[("content-encoding", "br")], Some(b"{}".to_vec())).await;
    assert!(coded.expect(415).error().contains("gzip, zstd, deflate"));
    let broken = client
        .send(reqwest::Method::POST, "/api/v1/traces", &[("content-encoding", "gzip")], Some(b"not gzip".to_vec()))
        .await;
    assert!(broken.expect(400).error().contains("Content-Encoding"));
    let put = client.send(reqwest::Method::PUT, "/api/v1/traces", &[], None).await.expect(405);
    assert_eq!(
        (put.headers["allow"].to_str().unwrap(), put.error().as_str()),
        ("POST, GET", "PUT is not allowed here")
    );
    assert_eq!(client.get("/nowhere").await.expect(404).error(), "There is no route GET /nowhere");
    client.get("//api//v1/traces").await.expect(200);
    client.get("/api/v1/traces/not-an-id").await.expect(400);
    client.with_key("").post("/api/v1/internal/logs", &json!({"events": []})).await.expect(202);
}

#[tokio::test(flavor = "multi_thread")]
async fn compressed_bodies_are_bounded_by_what_they_hold() {
    let retrace = Retrace::with(|settings| settings.max_body_bytes = 1 << 20).await;
    let client = &retrace.client;
    let bomb = json!({"input": "a".repeat(3 << 20)}).to_string();
    let small = json!({"input": "a".repeat(1000)}).to_string();
    for encoding in ["gzip", "deflate", "zstd"] {
        let send = async |text: &str| {
            let headers = [("content-encoding", encoding)];
            client.send(reqwest::Method::POST, "/api/v1/traces", &headers, Some(encoded(encoding, text))).await
        };
        assert_eq!(send(&bomb).await.expect(413).error(), "The decoded body is larger than 1048576 bytes");
        send(&small).await.expect(201);
    }
}

fn encoded(encoding: &str, text: &str) -> Vec<u8> {
    use std::io::Write;
    match encoding {
        "gzip" => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(text.as_bytes()).unwrap();
            encoder.finish().unwrap()
        }
        "deflate" => {
            let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(text.as_bytes()).unwrap();
            encoder.finish().unwrap()
        }
        _ => zstd::bulk::compress(text.as_bytes(), 1).unwrap(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_python_sends_is_kept() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let id = Uuid::new_v4();
    let body = format!(
        r#"{{"id":"{id}","input":{{"v":[NaN,-Infinity,1e400,1000000000000000000000000000000,"a\u0000b",{{"":1}}]}},"output":"bad \ud800 half",
        "total_cost":NaN,"started_at":"2026-11-20T10:00:00Z","ended_at":"2026-11-20T09:59:00Z",
        "spans":[{{"id":"00f067aa0ba902b7","span_type":"tool_result","name":"","started_at":"2026-11-20T10:00:00Z","logprobs":[NaN],"cost":Infinity}}]}}"#
    );
    let posted = client.post_text("/api/v1/traces", &body).await.expect(201);
    let answer = client.get_after(&format!("/api/v1/traces/{id}"), &posted.position()).await.expect(200);
    assert!(
        answer.text.contains(r#""input":{"v":[null,null,1e400,1000000000000000000000000000000,"a\u0000b",{"":1}]}"#),
        "{}",
        answer.text
    );
    let text = answer.text.replace("1e400", "1");
    let trace: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(trace["output"], "bad \u{fffd} half");
    assert_eq!(trace["ended_at"], trace["started_at"]);
    assert_eq!(trace["spans"][0]["logprobs"], json!([null]));
    assert_eq!(trace["spans"][0]["cost"], json!(null));
    let warnings = trace["warnings"].as_array().unwrap();
    assert!(
        warnings.contains(&json!("ended_at was before started_at (a clock step) and is kept as started_at")),
        "{warnings:?}"
    );
    assert!(warnings.contains(&json!("spans[0].cost held a number that is not finite, kept as null")), "{warnings:?}");
    assert!(warnings.contains(&json!("output held a lone surrogate, kept as U+FFFD")), "{warnings:?}");
    retrace.settled().await;
}
