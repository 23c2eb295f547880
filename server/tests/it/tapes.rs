//! Tapes: published, read by anybody, carried to another server, and gone when they are to be gone.

use std::process::Command;

use reqwest::Method;
use schemas::topics;
use serde_json::{Value, json};

use crate::harness::{Answer, Client, Retrace, binary, eventually};

mod pages;
mod public;

const TRACE: &str = "9debeeaf-b46e-44fd-8a0a-7efe35a59df9";
const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

fn span(n: usize, rest: &Value) -> Value {
    let started = format!("2026-03-01T10:00:{:02}Z", n % 60);
    let mut span = json!({"id": format!("{n:016x}"), "span_type": "tool_call", "name": format!("step {n}"), "started_at": started, "input": {"n": n}});
    span.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    span
}

/// A trace of three spans, the second of which says what is not to be public.
fn trace(id: &str) -> Value {
    json!({
        "id": id, "name": "Research of ann@example.com", "status": "completed", "session_id": "secret-session",
        "user_id": "secret-user", "input": {"q": "Write to ann@example.com"}, "output": "done", "metadata": {"team": "x"},
        "started_at": "2026-03-01T10:00:00Z", "ended_at": "2026-03-01T10:00:09.5Z",
        "spans": [
            span(1, &json!({"span_type": "llm_call", "model": "gpt-4o", "input_tokens": 10, "output_tokens": 5, "cost": 0.25, "duration_ms": 1500})),
            span(2, &json!({"parent_id": format!("{:016x}", 1), "output": {"api_key": "correct horse battery", "said": "Bearer abcdefghijklmnop"}, "error": "no sk-abcdefghijklmnopqrst"})),
            span(3, &json!({"parent_id": format!("{:016x}", 2)})),
        ],
    })
}

async fn recorded(retrace: &Retrace) -> &Client {
    retrace.client.post("/api/v1/traces", &trace(TRACE)).await.expect(201);
    &retrace.client
}

async fn published(client: &Client, rest: Value) -> Value {
    let mut body = json!({"trace_id": TRACE});
    body.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    client.post("/api/v1/tapes", &body).await.expect(201).json()
}

fn path(tape: &Value) -> String {
    format!("/api/v1/tapes/{}", tape["slug"].as_str().unwrap())
}

/// What is shown of a tape, whatever it is called.
async fn part(client: &Client, tape: &Value, part: &str) -> String {
    let shown = client.get(&format!("{}/{part}", path(tape))).await.expect(200).text;
    shown.replace(tape["slug"].as_str().unwrap(), "")
}

async fn send_file(client: &Client, query: &str, content_type: &str, body: &[u8]) -> Answer {
    let response = reqwest::Client::new()
        .post(format!("{}/api/v1/tapes/import{query}", client.base))
        .header("x-retrace-key", &client.key)
        .header("content-type", content_type)
        .body(body.to_vec())
        .send()
        .await
        .unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    Answer { status, headers, text: response.text().await.unwrap() }
}

async fn import(client: &Client, body: &[u8]) -> Answer {
    send_file(client, "", "application/x-ndjson", body).await
}

/// Of what is read once a write is projected.
async fn publish_after(client: &Client, position: &str, body: Value) -> Answer {
    let body = Some(body.to_string().into_bytes());
    client.send(Method::POST, "/api/v1/tapes", &[("x-retrace-after", position)], body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tape_shows_what_was_and_outlives_its_trace() {
    let retrace = Retrace::start().await;
    let client = recorded(&retrace).await;
    let anybody = client.with_key("");
    let about = json!({"title": "How it was found", "description": "A note", "tags": ["rag", "web", "rag"]});
    let created = client
        .post("/api/v1/tapes", &json!({"trace_id": TRACE, "title": about["title"], "description": about["description"], "tags": about["tags"]}))
        .await
        .expect(201);
    assert_eq!(created.headers["etag"], "\"1\"");
    let tape = created.json();
    let slug = tape["slug"].as_str().unwrap().to_owned();
    assert!(slug.starts_with("how-it-was-found-") && slug.len() == "how-it-was-found-".len() + 20, "{slug}");
    assert_eq!(tape["url"], format!("{}/t/{slug}", retrace.settings.base_url()));
    assert_eq!(tape["embed_url"], format!("{}/embed/{slug}", retrace.settings.base_url()));
    assert_eq!(
        (&tape["steps"], &tape["total_tokens"], &tape["total_cost"], &tape["total_duration_ms"], &tape["status"]),
        (&json!(3), &json!(15), &json!(0.25), &json!(9500), &json!("completed"))
    );
    assert_eq!(
        (&tape["tags"], &tape["models"], &tape["is_public"]),
        (&json!(["rag", "web"]), &json!(["gpt-4o"]), &json!(true))
    );
    assert_eq!(anybody.get(&path(&tape)).await.expect(200).json(), tape);

    let outline = anybody.get(&format!("{}/outline", path(&tape))).await.expect(200).json();
    assert_eq!(outline["ids"], json!((1..4).map(|n| format!("{n:016x}")).collect::<Vec<_>>()));
    assert_eq!(
        (&outline["parents"], &outline["types"], &outline["type_names"]),
        (&json!([0, 1, 2]), &json!([0, 1, 1]), &json!(["llm_call", "tool_call"]))
    );
    assert_eq!(
        (&outline["offsets"], &outline["durations"]),
        (&json!([1_000_000, 2_000_000, 3_000_000]), &json!([1_500_000, null, null]))
    );
    assert_eq!(
        (&outline["models"], &outline["costs"], &outline["failed"]),
        (&json!([0, null, null]), &json!([0.25, null, null]), &json!([2]))
    );

    let steps = anybody.get(&format!("{}/steps?from=2&limit=1", path(&tape))).await.expect(200);
    for (hidden, shown) in
        [("correct horse", "<secret>"), ("abcdefghijklmnop", "Bearer <credentials>"), ("sk-abc", "no <key>")]
    {
        assert!(!steps.text.contains(hidden) && steps.text.contains(shown), "{}", steps.text);
    }
    assert_eq!((&steps.json()["from"], &steps.json()["total"]), (&json!(2), &json!(3)));
    let shown = anybody.get(&format!("{}/trace", path(&tape))).await.expect(200);
    for private in ["secret-session", "secret-user", "ann@example.com"] {
        assert!(!shown.text.contains(private), "{}", shown.text);
    }
    assert_eq!(shown.json()["trace"]["input"], json!({"q": "Write to <email>"}));

    // Later changes of the trace, and its end, leave the tape as it is.
    client.patch(&format!("/api/v1/traces/{TRACE}"), &json!({"output": "changed"})).await.expect(200);
    let gone = client.delete(&format!("/api/v1/traces/{TRACE}")).await.expect(204).position();
    assert_eq!(anybody.get(&path(&tape)).await.expect(200).json(), tape);
    assert_eq!(anybody.get(&format!("{}/trace", path(&tape))).await.expect(200).text, shown.text);
    publish_after(client, &gone, json!({"trace_id": TRACE})).await.expect(404);
    retrace.assert_exact().await;

    retrace.settled().await;
    retrace.erase().await;
    retrace.rebuild_workspace().await;
    assert_eq!(anybody.get(&path(&tape)).await.expect(200).json(), tape);
    assert_eq!(anybody.get(&format!("{}/steps?from=2&limit=1", path(&tape))).await.expect(200).text, steps.text);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_previewed_is_what_is_published() {
    let retrace = Retrace::start().await;
    let client = recorded(&retrace).await;
    let redact = json!({"detectors": ["keys"], "fields": ["metadata", "input.n"], "spans": [format!("{:016x}", 2)]});
    let preview =
        client.post("/api/v1/tapes/preview", &json!({"trace_id": TRACE, "redact": redact})).await.expect(200).json();
    assert_eq!(preview["title"], "Research of ann@example.com");
    assert_eq!((&preview["trace"]["left_out"], &preview["trace"]["metadata"]), (&json!(1), &Value::Null));
    let steps = preview["steps"].as_array().unwrap();
    assert_eq!((steps.len(), &steps[1]["parent_id"]), (2, &json!(format!("{:016x}", 1))));
    assert_eq!(steps[1]["input"], json!({"n": "<left out>"}));
    let told: Vec<_> = preview["redactions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|told| (told["field"].as_str().unwrap(), told["path"].as_str().unwrap(), told["cause"].as_str().unwrap()))
        .collect();
    assert_eq!(told, [("metadata", "", "left_out"), ("input", "n", "left_out"), ("input", "n", "left_out")]);
    assert_eq!(preview["redaction_count"], 3);
    assert_eq!(client.get("/api/v1/tapes").await.expect(200).json()["total"], 0, "nothing is published");

    let tape = published(client, json!({"redact": redact, "sha256": preview["sha256"]})).await;
    assert_eq!((&tape["sha256"], &tape["bytes"]), (&preview["sha256"], &preview["bytes"]));
    let shown = client.get(&format!("{}/steps", path(&tape))).await.expect(200).json();
    assert_eq!(shown["steps"], preview["steps"]);
    let trace = format!("/api/v1/traces/{TRACE}");
    let after = client.patch(&trace, &json!({"output": "changed", "status": "completed"})).await.expect(200).position();
    let changed = json!({"trace_id": TRACE, "redact": redact, "sha256": preview["sha256"]});
    assert_eq!(
        publish_after(client, &after, changed).await.expect(409).error(),
        "The trace is not as it was previewed"
    );
    let absent = json!({"trace_id": TRACE, "redact": {"spans": ["00f067aa0ba902b7"]}});
    assert_eq!(
        client.post("/api/v1/tapes", &absent).await.expect(400).error(),
        "redact.spans: the trace has no span 00f067aa0ba902b7"
    );
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_tape_is_named_and_foreign_ones_are_not_there() {
    let retrace = Retrace::start().await;
    let client = recorded(&retrace).await;
    for (body, faults) in [
        (json!({}), "trace_id is missing"),
        (json!({"trace_id": "x"}), "trace_id is neither a UUID nor a 32-hex OpenTelemetry trace id"),
        (json!({"trace_id": TRACE, "title": "x".repeat(201)}), "title is longer than 200 characters"),
        (json!({"trace_id": TRACE, "title": "a\u{0}"}), "title contains NUL"),
        (
            json!({"trace_id": TRACE, "tags": [" "], "is_public": 1}),
            "tags[0] is empty; is_public is neither true nor false",
        ),
        (
            json!({"trace_id": TRACE, "redact": {"fields": ["name"]}}),
            "redact.fields[0] begins with none of input, output, error, metadata, token_ids, logprobs",
        ),
    ] {
        for route in ["/api/v1/tapes", "/api/v1/tapes/preview"] {
            assert_eq!(client.post(route, &body).await.expect(400).error(), faults);
        }
    }
    let tape = published(client, json!({})).await;
    let other = retrace.key_of("other", "eve").await;
    other.post("/api/v1/tapes", &json!({"trace_id": TRACE})).await.expect(404);
    other.post("/api/v1/tapes/preview", &json!({"trace_id": TRACE})).await.expect(404);
    other.patch(&path(&tape), &json!({"title": "stolen"})).await.expect(404);
    other.delete(&path(&tape)).await.expect(404);
    assert_eq!(other.get("/api/v1/tapes").await.expect(200).json()["total"], 0);
    let nothing = client.patch(&path(&tape), &json!({})).await.expect(400);
    assert_eq!(nothing.error(), "the body changes none of title, description, tags, is_public");
    for unknown in ["x", "tape-00000000000000000000", "explored"] {
        client.get(&format!("/api/v1/tapes/{unknown}")).await.expect(404);
        client.delete(&format!("/api/v1/tapes/{unknown}")).await.expect(404);
        client.get(&format!("/api/v1/tapes/{unknown}/outline")).await.expect(404);
    }
    for query in ["from=0", "limit=101", "colour=red"] {
        client.get(&format!("{}/steps?{query}", path(&tape))).await.expect(400);
    }
    client.send(Method::DELETE, &format!("/api/v1/traces/{TRACE}?erase=all"), &[], None).await.expect(400);
    let viewer = retrace.key_as("acme", "vic", "viewer").await;
    viewer.post("/api/v1/tapes", &json!({"trace_id": TRACE})).await.expect(403);
    client.post("/api/v1/internal/tape-views", &json!({})).await.expect(401);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_about_a_tape_changes_and_its_address_does_not() {
    let retrace = Retrace::start().await;
    let client = recorded(&retrace).await;
    let tape = published(client, json!({"title": "First"})).await;
    let match_one = |body: Value| {
        let (client, path) = (client.clone(), path(&tape));
        async move { client.send(Method::PATCH, &path, &[("if-match", "\"1\"")], Some(body.to_string().into_bytes())).await }
    };
    let changed = match_one(json!({"title": "Second", "is_public": false})).await.expect(200).json();
    assert_eq!(
        (&changed["slug"], &changed["title"], &changed["version"]),
        (&tape["slug"], &json!("Second"), &json!(2))
    );
    assert_eq!((&changed["sha256"], &changed["is_public"]), (&tape["sha256"], &json!(false)));
    match_one(json!({"title": "Third"})).await.expect(412);

    let writes = (0..50).map(|n| {
        let (client, path) = (client.clone(), path(&tape));
        async move { client.patch(&path, &json!({"description": format!("of {n}")})).await.expect(200) }
    });
    let mut versions: Vec<String> = futures::future::join_all(writes)
        .await
        .iter()
        .map(|answer| answer.headers["etag"].to_str().unwrap().to_owned())
        .collect();
    versions.sort_by_key(|tag| tag.trim_matches('"').parse::<u64>().unwrap());
    assert_eq!(versions, (3..53).map(|version| format!("\"{version}\"")).collect::<Vec<_>>());

    // The words before the name are for readers.
    let (_, name) = tape["slug"].as_str().unwrap().rsplit_once('-').unwrap();
    assert_eq!(client.get(&format!("/api/v1/tapes/any-words-{name}")).await.expect(200).json()["slug"], tape["slug"]);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retried_publication_is_one_tape() {
    let retrace = Retrace::start().await;
    let client = recorded(&retrace).await;
    let once = |body: Value| async move {
        client
            .send(Method::POST, "/api/v1/tapes", &[("idempotency-key", "a")], Some(body.to_string().into_bytes()))
            .await
    };
    let first = once(json!({"trace_id": TRACE})).await.expect(201);
    let again = once(json!({"trace_id": TRACE})).await.expect(201);
    assert_eq!((first.json(), first.position()), (again.json(), again.position()));
    once(json!({"trace_id": TRACE, "title": "x"})).await.expect(409);
    // The answer was lost, and the trace has changed since: it is the tape that it was.
    let pool = runtime::postgres::pool(&retrace.settings).unwrap();
    sqlx::query("UPDATE idempotency SET status = NULL, claimed_at = now() - interval '1 hour'")
        .execute(&pool)
        .await
        .unwrap();
    client.patch(&format!("/api/v1/traces/{TRACE}"), &json!({"output": "changed"})).await.expect(200);
    assert_eq!(once(json!({"trace_id": TRACE})).await.expect(201).json(), first.json());
    assert_eq!(client.get("/api/v1/tapes").await.expect(200).json()["total"], 1);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tape_is_carried_to_another_server() {
    let (one, other) = (Retrace::start().await, Retrace::start().await);
    let client = recorded(&one).await;
    let tape = published(client, json!({"title": "Carried", "tags": ["x"]})).await;
    let file = client.with_key("").download(&format!("{}/export", path(&tape))).await;
    assert!(file.headers["content-disposition"].to_str().unwrap().contains(".tape\""));

    let there = import(&other.client, &file.body).await.expect(201).json();
    for same in [
        "title",
        "tags",
        "steps",
        "sha256",
        "bytes",
        "status",
        "total_cost",
        "total_tokens",
        "total_duration_ms",
        "models",
    ] {
        assert_eq!(there[same], tape[same], "{same}");
    }
    assert_eq!(there["is_public"], false);
    assert_ne!(there["slug"], tape["slug"]);
    for shown in ["trace", "steps", "outline"] {
        let there = part(&other.client, &there, shown).await;
        assert_eq!(there, part(client, &tape, shown).await, "{shown}");
    }
    assert_eq!(other.client.download(&format!("{}/export", path(&there))).await.body, file.body);
    other.client.get(&format!("/api/v1/traces/{TRACE}")).await.expect(404);

    for at in (0..file.body.len()).step_by(37) {
        let mut flipped = file.body.clone();
        flipped[at] ^= 1;
        import(&other.client, &flipped).await.expect(400);
    }
    import(&other.client, &file.body[..file.body.len() / 2]).await.expect(400);
    send_file(&other.client, "", "application/json", &file.body).await.expect(415);
    send_file(&other.client, "?is_public=1", "application/x-ndjson", &file.body).await.expect(400);
    send_file(&other.client, "?is_public=true", "application/x-ndjson", &file.body).await.expect(201);

    let folder = tempfile::tempdir().unwrap();
    let verify = |bytes: &[u8]| {
        let path = folder.path().join("a.tape");
        std::fs::write(&path, bytes).unwrap();
        Command::new(binary()).args(["tape", "verify"]).arg(&path).output().unwrap()
    };
    let whole = verify(&file.body);
    assert!(
        whole.status.success() && String::from_utf8_lossy(&whole.stdout).contains(tape["sha256"].as_str().unwrap()),
        "{whole:?}"
    );
    let mut flipped = file.body.clone();
    *flipped.last_mut().unwrap() ^= 1;
    assert!(!verify(&flipped).status.success());
    one.assert_exact().await;
    other.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_tape_is_gone_from_the_log_too() {
    let retrace = Retrace::start().await;
    let client = recorded(&retrace).await;
    let (kept, gone) = (published(client, json!({})).await, published(client, json!({})).await);
    retrace.settled().await;
    let owner = |tape: &Value| format!("tapes/{}", schemas::tapes::id(tape["slug"].as_str().unwrap()).unwrap());
    client.delete(&path(&gone)).await.expect(204);
    client.get(&path(&gone)).await.expect(404);
    client.delete(&path(&gone)).await.expect(404);
    retrace.settled().await;
    retrace.erase().await;
    let keys = retrace.sealed_under().await;
    assert!(keys.contains(&owner(&kept)) && !keys.contains(&owner(&gone)), "{keys:?}");
    retrace.assert_exact().await;

    // The trace takes its tapes with it only where that is asked for.
    client.delete(&format!("/api/v1/traces/{TRACE}?erase=tapes")).await.expect(204);
    eventually("the end of the tape", async || client.get(&path(&kept)).await.status.as_u16() == 404).await;
    retrace.settled().await;
    retrace.erase().await;
    retrace.erase().await;
    let keys = retrace.sealed_under().await;
    assert!(!keys.iter().any(|key| key.starts_with("tapes/")), "{keys:?}");
    retrace.rebuild_workspace().await;
    client.get(&path(&kept)).await.expect(404);
    assert_eq!(client.get("/api/v1/tapes").await.expect(200).json()["total"], 0);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_spans_and_a_large_payload_are_one_tape() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let large = "é".repeat(900_000);
    let spans: Vec<Value> = (1..=10_000)
        .map(|n| {
            if n == 7 {
                span(n, &json!({"output": large}))
            } else {
                span(n, &json!({"input_tokens": n, "cost": 0.000_1}))
            }
        })
        .collect();
    client.post("/api/v1/traces", &json!({"id": TRACE, "name": "long", "spans": spans})).await.expect(201);
    let tape = published(client, json!({})).await;
    assert_eq!(tape["steps"], 10_000);
    let records = retrace.log(topics::WORKSPACE).await;
    assert!(records.iter().all(|record| record.value.as_ref().is_none_or(|value| value.len() < 900_000)));

    let packed = reqwest::Client::new()
        .get(format!("{}{}/outline", client.base, path(&tape)))
        .header("accept-encoding", "gzip")
        .send()
        .await
        .unwrap();
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    let packed = packed.bytes().await.unwrap();
    assert!(packed.len() <= 400_000, "the outline has {} bytes", packed.len());
    let outline = client.get(&format!("{}/outline", path(&tape))).await.expect(200).json();
    assert_eq!(outline["ids"].as_array().unwrap().len(), 10_000);
    let order: Vec<&str> = outline["ids"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    let at = order.iter().position(|id| *id == format!("{:016x}", 7)).unwrap() + 1;
    let step = client.get(&format!("{}/steps?from={at}&limit=1", path(&tape))).await.expect(200).json();
    assert_eq!(step["steps"][0]["output"], large);

    let more = json!({"id": TRACE, "spans": [span(10_001, &json!({}))]});
    client.post("/api/v1/traces", &more).await.expect(201);
    let refused = client.post("/api/v1/tapes", &json!({"trace_id": TRACE})).await.expect(400);
    assert_eq!(refused.error(), "the trace has more than 10000 spans");
    retrace.assert_exact().await;
}
