//! The audit: every accepted write, by whom, from where, and in a chain that shows when it was tampered with.

mod chain;
mod nouns;

use std::collections::BTreeSet;

use ingest::publish::{Outgoing, Publisher};
use ingest::system;
use reqwest::Method;
use runtime::auth::Principal;
use schemas::events::ApiKeyRevoked;
use schemas::{Envelope, Event, ids, topics};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Answer, Client, Retrace};

const EXPORT: &str = "/api/v1/audit-logs/export";
const HEADS: &str = "/api/v1/audit-logs/heads";

/// Which of all entries.
type Selects<'a> = Box<dyn Fn(&Value) -> bool + 'a>;

async fn export(client: &Client, query: &str) -> Vec<Value> {
    client.get(&format!("{EXPORT}?{query}")).await.expect(200).json()["audit_logs"].as_array().unwrap().clone()
}

/// A write under a request id.
async fn write(client: &Client, method: Method, path: &str, request: &str, body: Value) -> Answer {
    let headers = [("x-request-id", request), ("x-forwarded-for", "203.0.113.9")];
    client.send(method, path, &headers, Some(body.to_string().into_bytes())).await
}

fn actor(tenant: &str, user: &str) -> String {
    Principal { tenant: tenant.into(), user: user.into(), org: None, role: String::new(), key: None }.actor()
}

/// The types without what all of them have in common.
fn types(entries: &[Value]) -> Vec<&str> {
    entries
        .iter()
        .map(|entry| entry["type"].as_str().unwrap().trim_start_matches("dev.retrace.").trim_end_matches(".v1"))
        .collect()
}

fn one<'a>(entries: &'a [Value], request: &str) -> &'a Value {
    let found: Vec<&Value> = entries.iter().filter(|entry| entry["request_id"] == request).collect();
    assert_eq!(found.len(), 1, "{request}: {found:?}");
    found[0]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_accepted_write_says_who_what_when_and_from_where() {
    let retrace = Retrace::with(|settings| settings.trusted_proxies = "127.0.0.1".into()).await;
    let (boss, ann) = (retrace.key_as("acme", "boss", "admin").await, retrace.key_of("acme", "ann").await);
    let eve = retrace.key_as("globex", "eve", "owner").await;
    let (trace, other) = (Uuid::new_v4().to_string(), Uuid::new_v4().to_string());
    let path = format!("/api/v1/traces/{trace}");
    let spans = json!([{"span_type": "action", "started_at": "2026-11-20T10:00:00Z", "input": "secret"}]);
    let recorded = json!({"id": trace, "name": "secret", "status": "completed", "spans": spans});
    write(&ann, Method::POST, "/api/v1/traces", "r1", recorded).await.expect(201);
    write(&ann, Method::POST, &format!("{path}/golden"), "r2", json!({"golden": true})).await.expect(200);
    write(&boss, Method::POST, &format!("{path}/golden"), "r3", json!({"golden": false})).await.expect(200);
    write(&ann, Method::POST, &format!("{path}/feedback"), "r4", json!({"value": 1})).await.expect(201);
    write(&boss, Method::POST, &format!("{path}/feedback"), "r5", json!({"value": -1})).await.expect(201);
    write(&ann, Method::POST, &format!("{path}/feedback"), "r6", json!({"value": -1})).await.expect(201);
    let skill = write(&ann, Method::POST, "/api/v1/skills", "r7", json!({"name": "secret"})).await.expect(201).json();
    let skill = format!("skills/{}", skill["id"].as_str().unwrap());
    write(&boss, Method::PATCH, &format!("/api/v1/{skill}"), "r8", json!({"name": "n"})).await.expect(200);
    // What is refused was no write: by the gate, by the handler, by the fold.
    write(&ann, Method::POST, "/api/v1/skills", "refused", json!({})).await.expect(400);
    write(&ann, Method::DELETE, &format!("/api/v1/skills/{other}"), "refused", json!({})).await.expect(404);
    let stale = [("if-match", "\"1\""), ("x-request-id", "refused")];
    ann.send(Method::PATCH, &format!("/api/v1/{skill}"), &stale, Some(b"{\"name\":\"x\"}".to_vec())).await.expect(412);
    write(&ann, Method::DELETE, &path, "r9", json!({})).await.expect(204);
    let last = write(&eve, Method::POST, "/api/v1/traces", "r10", json!({"id": other})).await.expect(201);
    retrace.settled().await;

    let all = export(&boss, "").await;
    let kinds = types(&all);
    assert_eq!(kinds[..2], ["api_key.created", "api_key.created"]);
    let told = [
        "trace.recorded",
        "golden.set",
        "golden.set",
        "feedback.given",
        "feedback.given",
        "feedback.given",
        "skill.created",
        "skill.changed",
        "discussion.closed",
        "trace.deleted",
    ];
    assert_eq!(kinds[2..], told);
    assert_eq!((&all[0]["actor"], &all[0]["ip"], &all[0]["user_id"]), (&json!("system"), &Value::Null, &Value::Null));
    let written = one(&all, "r1");
    assert_eq!(written["subject"], json!(trace));
    assert_eq!(written["actor"], json!(actor("acme", "ann")));
    assert_eq!((&written["user_id"], &written["ip"]), (&json!("ann"), &json!("203.0.113.9")));
    assert!(written["auth"].as_str().unwrap().starts_with("api_key rt_"), "{written}");
    assert!(written["auth"].as_str().unwrap().len() < 24, "{written}");
    assert!(written["time"].as_str().unwrap().ends_with('Z'));
    assert_eq!(written["after"], json!({"phase": "ended", "source": "post", "spans": 1, "status": "completed"}));
    for (request, before, after) in [
        ("r2", Value::Null, json!({"golden": true})),
        ("r3", json!({"golden": true}), json!({"golden": false})),
        ("r4", Value::Null, json!({"value": 1})),
        ("r5", Value::Null, json!({"value": -1})),
        ("r6", json!({"value": 1}), json!({"value": -1})),
        ("r7", Value::Null, json!({"version": 1})),
        ("r8", json!({"version": 1}), json!({"version": 2})),
    ] {
        let entry = one(&all, request);
        assert_eq!((&entry["before"], &entry["after"]), (&before, &after), "{request}");
    }
    // A trace is deleted with what was said about it.
    let deleted: Vec<&Value> = all.iter().filter(|entry| entry["request_id"] == "r9").collect();
    assert_eq!(deleted.len(), 2, "{deleted:?}");
    for entry in deleted {
        assert_eq!((&entry["subject"], &entry["after"]), (&json!(trace), &json!({})));
    }
    assert_eq!((&one(&all, "r8")["subject"], &one(&all, "r8")["user_id"]), (&json!(skill), &json!("boss")));
    assert!(!json!(all).to_string().contains("secret"));

    // Nobody else's, and not for everybody.
    let theirs = client_sees(&eve, &last.position()).await;
    assert_eq!(types(&theirs), ["api_key.created", "trace.recorded"]);
    let vic = retrace.key_as("acme", "vic", "viewer").await;
    for (client, why) in [
        (&ann, "The role member does not allow this: it takes an owner or an admin"),
        (&vic, "The role viewer does not allow this: it reads only"),
    ] {
        assert_eq!(client.get(EXPORT).await.expect(403).error(), why);
        assert_eq!(client.get(HEADS).await.expect(403).error(), why);
    }
    assert_eq!(client_heads(&eve).await["tenant"], "globex");
    retrace.assert_exact().await;
}

/// The export waits for what the caller has written.
async fn client_sees(client: &Client, position: &str) -> Vec<Value> {
    client.get_after(EXPORT, position).await.expect(200).json()["audit_logs"].as_array().unwrap().clone()
}

async fn client_heads(client: &Client) -> Value {
    client.get(HEADS).await.expect(200).json()
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_and_pages_select_from_the_same() {
    let retrace = Retrace::start().await;
    let (boss, ann) = (retrace.key_as("acme", "boss", "owner").await, retrace.key_of("acme", "ann").await);
    for n in 0..12 {
        let client = if n % 3 == 0 { &boss } else { &ann };
        client.post("/api/v1/traces", &json!({"name": n.to_string()})).await.expect(201);
        if n % 4 == 0 {
            client.post("/api/v1/skills", &json!({"name": n.to_string()})).await.expect(201);
        }
    }
    retrace.settled().await;
    let all = export(&boss, "").await;
    assert_eq!(all.len(), 2 + 12 + 3);
    let times: Vec<&str> = all.iter().map(|entry| entry["time"].as_str().unwrap()).collect();
    assert!(times.is_sorted(), "{times:?}");
    let (subject, middle) = (all[5]["subject"].as_str().unwrap(), times[8]);
    let cases: [(String, Selects<'_>); 10] = [
        ("actor=ann".to_owned(), Box::new(|entry| entry["user_id"] == "ann")),
        (format!("actor={}", actor("acme", "boss")), Box::new(|entry| entry["user_id"] == "boss")),
        ("actor=nobody".to_owned(), Box::new(|_| false)),
        ("type=skill".to_owned(), Box::new(|entry| entry["subject"].as_str().unwrap().starts_with("skills/"))),
        (
            "type=skill.created&actor=boss".to_owned(),
            Box::new(|entry| entry["user_id"] == "boss" && entry["type"] == "dev.retrace.skill.created.v1"),
        ),
        (
            "type=dev.retrace.trace.recorded.v1".to_owned(),
            Box::new(|entry| entry["type"] == "dev.retrace.trace.recorded.v1"),
        ),
        ("type=skil".to_owned(), Box::new(|_| false)),
        (format!("subject={subject}"), Box::new(|entry| entry["subject"] == subject)),
        (format!("from={middle}"), Box::new(|entry| entry["time"].as_str().unwrap() >= middle)),
        (format!("to={middle}"), Box::new(|entry| entry["time"].as_str().unwrap() < middle)),
    ];
    for (query, selects) in cases {
        let expected: Vec<&Value> = all.iter().filter(|entry| selects(entry)).collect();
        assert_eq!(export(&boss, &query).await.iter().collect::<Vec<_>>(), expected, "{query}");
        // The same by pages, in either format.
        for format in ["json", "csv"] {
            let (mut cursor, mut pages, mut lines) = (String::new(), Vec::new(), 0);
            loop {
                let page = boss.get(&format!("{EXPORT}?{query}&format={format}&limit=2{cursor}")).await.expect(200);
                if format == "json" {
                    let next = page.headers.get("x-retrace-next-cursor").map(|next| next.to_str().unwrap());
                    assert_eq!(page.json()["next_cursor"].as_str(), next);
                    pages.extend(page.json()["audit_logs"].as_array().unwrap().clone());
                } else {
                    lines += page.text.lines().count() - 1;
                }
                let Some(next) = page.headers.get("x-retrace-next-cursor") else { break };
                cursor = format!("&cursor={}", next.to_str().unwrap());
            }
            assert!(format == "csv" || pages.iter().collect::<Vec<_>>() == expected, "{query}: {pages:?}");
            assert!(format == "json" || lines == expected.len(), "{query}: {lines}");
        }
    }
    let first = boss.get(&format!("{EXPORT}?limit=1")).await.expect(200).json();
    let cursor = first["next_cursor"].as_str().unwrap();
    for (query, fault) in [
        ("limit=0", "limit is not a whole number from 1 to 10000"),
        ("limit=10001", "limit is not a whole number from 1 to 10000"),
        ("format=xml", "format is not one of json, csv"),
        ("from=yesterday", "from is not an RFC 3339 time"),
        ("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "from is not before to"),
        ("who=ann", "there is no parameter `who`"),
        ("limit=x&format=x", "format is not one of json, csv; limit is not a whole number from 1 to 10000"),
        ("cursor=x", "cursor is not one of this list with these filters and this sort"),
        (&format!("actor=ann&cursor={cursor}"), "cursor is not one of this list with these filters and this sort"),
    ] {
        assert_eq!(boss.get(&format!("{EXPORT}?{query}")).await.expect(400).error(), fault);
    }
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_cell_is_a_formula_and_a_repeated_event_is_told_once() {
    let retrace = Retrace::start().await;
    let boss = retrace.key_as("acme", "=cmd|' /C calc'!A0", "admin").await;
    write(&boss, Method::POST, "/api/v1/traces", "=1+1", json!({"name": "n"})).await.expect(201);
    // As a command under an Idempotency-Key is appended once more by a retry.
    let id = ids::derived(Uuid::new_v4(), "command");
    let publisher = Publisher::new(&retrace.settings).unwrap();
    for _ in 0..2 {
        let event = Event::ApiKeyRevoked(ApiKeyRevoked { user: "nobody".to_owned() });
        let envelope = Envelope {
            id,
            kind: event.kind().to_owned(),
            source: "/test".to_owned(),
            time: time::OffsetDateTime::now_utc(),
            subject: "nobody".to_owned(),
            tenant: "acme".to_owned(),
            actor: "@actor".to_owned(),
            request_id: String::new(),
            traceparent: None,
            client: None,
        };
        let partition = topics::tenant_partition("acme", topics::PARTITIONS);
        publisher.append(vec![Outgoing { envelope, event, partition }]).await.unwrap();
    }
    retrace.settled().await;
    let file = boss.download(&format!("{EXPORT}?format=csv")).await;
    assert_eq!(file.headers["content-type"], "text/csv; charset=utf-8; header=present");
    let name = file.headers["content-disposition"].to_str().unwrap();
    assert!(name.starts_with("attachment; filename=\"retrace-audit-") && name.ends_with(".csv\""), "{name}");
    let text = String::from_utf8(file.body).unwrap();
    let lines: Vec<&str> = text.split_terminator("\r\n").collect();
    assert_eq!(
        lines[0],
        "time,event_id,type,subject,actor,user_id,ip,auth,request_id,before,after,topic,partition,offset,content_hash,previous_hash,hash"
    );
    assert_eq!(lines.len(), 1 + 3, "{text}");
    assert!(lines[2].contains(",\"'=1+1\",") && lines[2].contains(",\"'=cmd|' /C calc'!A0\","), "{text}");
    assert!(lines[3].contains(",\"'@actor\","), "{text}");
    for cell in lines[1..].iter().flat_map(|line| line.split(',')) {
        assert!(!cell.trim_start_matches('"').starts_with(['=', '+', '-', '@']), "{cell}");
    }
    let chain = client_heads(&boss).await;
    let counted: u64 = chain["heads"].as_array().unwrap().iter().map(|head| head["count"].as_u64().unwrap()).sum();
    assert_eq!(counted, 4, "the chain has the event as often as the log: {chain}");
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_writes_are_one_file() {
    let retrace = Retrace::start().await;
    let boss = retrace.key_as("acme", "boss", "owner").await;
    let publisher = Publisher::new(&retrace.settings).unwrap();
    let traces: Vec<String> = (0..10_200).map(|_| Uuid::new_v4().to_string()).collect();
    system::reprice(&publisher, "acme", &traces, "").await.unwrap();
    retrace.settled().await;
    let file = boss.get(EXPORT).await.expect(200);
    let (first, next) = (file.json(), file.headers["x-retrace-next-cursor"].to_str().unwrap().to_owned());
    assert_eq!(first["audit_logs"].as_array().unwrap().len(), 10_000);
    let rest = export(&boss, &format!("cursor={next}")).await;
    assert_eq!(rest.len(), 201);
    let told = first["audit_logs"].as_array().unwrap().iter().chain(&rest);
    let told: BTreeSet<&str> = told.map(|entry| entry["subject"].as_str().unwrap()).collect();
    assert!(traces.iter().all(|trace| told.contains(trace.as_str())));
    let csv = boss.download(&format!("{EXPORT}?format=csv")).await;
    assert_eq!(String::from_utf8(csv.body).unwrap().matches("\r\n").count(), 10_001);
    retrace.assert_exact().await;
}
