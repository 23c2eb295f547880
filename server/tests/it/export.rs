//! `GET /traces/export` and `GET /spans/export`: every format holds what the API answers, to the last character.

mod bodies;
mod moving;
mod read;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Client, Random, Retrace};
use read::{Document, FORMATS, Noun};

/// What the API answers one by one: traces by id, spans by the ids of their traces and their own.
struct Told {
    traces: BTreeMap<String, Document>,
    spans: BTreeMap<(String, String), Document>,
}

impl Told {
    async fn by(client: &Client, ids: &[String]) -> Told {
        let mut told = Told { traces: BTreeMap::new(), spans: BTreeMap::new() };
        for id in ids {
            let answer = client.get(&format!("/api/v1/traces/{id}")).await.expect(200);
            let mut trace = Document::read(&answer.text);
            let spans: Vec<Document> = trace.take("spans");
            told.spans.extend(spans.into_iter().map(|span| ((id.clone(), span.text("id")), span)));
            told.traces.insert(id.clone(), trace);
        }
        told
    }

    fn of(&self, noun: Noun) -> Vec<&Document> {
        match noun {
            Noun::Traces => self.traces.values().collect(),
            Noun::Spans => self.spans.values().collect(),
        }
    }
}

async fn record(client: &Client, random: &mut Random, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for n in 0..count {
        let id = Uuid::from_u128(u128::from(random.next()) << 64 | u128::from(random.next())).to_string();
        // Some as they are written by hand: line breaks between the tokens are part of what was sent.
        let body = bodies::trace(random, &id, n);
        let text = if random.percent(30) { serde_json::to_string_pretty(&body).unwrap() } else { body.to_string() };
        client.post_text("/api/v1/traces", &text).await.expect(201);
        ids.push(id);
    }
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn every_format_holds_what_the_api_answers() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let random = &mut Random::new(4);
    let mut ids = record(client, random, 30).await;
    let gone = ids.remove(7);
    client.delete(&format!("/api/v1/traces/{gone}")).await.expect(204);
    retrace.settled().await;
    let told = Told::by(client, &ids).await;
    assert!(told.spans.len() > 400, "{} spans", told.spans.len());
    for noun in [Noun::Traces, Noun::Spans] {
        for format in FORMATS {
            for payloads in [true, false] {
                let path = format!("{}?format={format}&payloads={payloads}", noun.path());
                let found = read::get(client, &path, noun, format, payloads).await;
                let expected = told.of(noun);
                assert_eq!(found.len(), expected.len(), "{path}");
                for (expected, found) in expected.into_iter().zip(&found) {
                    read::assert_same(expected, found, noun, payloads, &path);
                }
            }
        }
    }
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_filters_select_what_the_list_shows() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let ids = record(client, &mut Random::new(5), 40).await;
    retrace.settled().await;
    let told = Told::by(client, &ids).await;
    let mut narrow = 0;
    for filter in [
        "",
        "status=failed",
        "status=completed&project_id=p",
        "project_id=%3DSUM(A1)",
        "name=%2B1%20%22quoted%22%2C%20and%20a%20comma",
        "session_id=s1&user_id=u1",
        "model=gpt-4o-mini",
        "tag=-b",
        "environment=e",
        "from=2026-03-02T00:00:00Z&to=2026-03-04T00:00:00Z",
        "min_cost=0.5",
        "min_duration_ms=2000",
        "q=QUOTED%20comma",
        "name=nobody",
    ] {
        let list = client.get(&format!("/api/v1/traces?limit=200&{filter}")).await.expect(200).json();
        let listed: BTreeSet<String> =
            list["traces"].as_array().unwrap().iter().map(|trace| trace["id"].as_str().unwrap().to_owned()).collect();
        narrow += usize::from((1..ids.len()).contains(&listed.len()));
        for format in FORMATS {
            let ask = |noun: Noun| format!("{}?format={format}&{filter}", noun.path());
            let traces = read::get(client, &ask(Noun::Traces), Noun::Traces, format, true).await;
            let found: BTreeSet<String> = traces.iter().map(|trace| trace.text("id")).collect();
            assert_eq!(found, listed, "{filter}");
            let spans = read::get(client, &ask(Noun::Spans), Noun::Spans, format, true).await;
            let found: Vec<_> = spans.iter().map(|span| (span.text("trace_id"), span.text("id"))).collect();
            let expected: Vec<_> = told.spans.keys().filter(|(trace, _)| listed.contains(trace)).cloned().collect();
            assert_eq!(found, expected, "{filter}");
        }
    }
    assert!(narrow >= 10, "only {narrow} of the filters tell traces apart");
    // Another tenant has files of its own, with nothing in them.
    let stranger = retrace.key_of("elsewhere", "eve").await;
    for noun in [Noun::Traces, Noun::Spans] {
        for format in FORMATS {
            let path = format!("{}?format={format}", noun.path());
            assert!(read::get(&stranger, &path, noun, format, true).await.is_empty(), "{path}");
        }
    }
    let empty = stranger.get("/api/v1/spans/export?format=csv&payloads=false").await.expect(200);
    assert!(empty.text.starts_with("id,trace_id,parent_id,span_type,name,model,input_tokens,"), "{}", empty.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_says_what_it_is_and_waits_for_what_was_written() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    for n in 0..5 {
        let posted = client.post("/api/v1/traces", &json!({"id": Uuid::new_v4(), "name": "mine"})).await.expect(201);
        let export = client.get_after("/api/v1/traces/export", &posted.position()).await.expect(200);
        assert_eq!(export.text.lines().count(), n + 1);
        // Its own position is one to wait for, and covers what was written.
        client.get_after("/api/v1/traces/export", &export.position()).await.expect(200);
    }
    for (noun, format, kind) in [
        ("traces", "ndjson", "application/x-ndjson"),
        ("spans", "csv", "text/csv; charset=utf-8; header=present"),
        ("traces", "parquet", "application/vnd.apache.parquet"),
    ] {
        let answer = client.download(&format!("/api/v1/{noun}/export?format={format}")).await;
        assert_eq!(answer.headers["content-type"], kind);
        let name = answer.headers["content-disposition"].to_str().unwrap().to_owned();
        assert!(name.starts_with(&format!("attachment; filename=\"retrace-{noun}-2")), "{name}");
        assert!(name.ends_with(&format!("Z.{format}\"")), "{name}");
    }
    for (query, faults) in [
        (
            "format=xml&payloads=maybe",
            &["format is not one of ndjson, csv, parquet", "payloads is not one of true, false"],
        ),
        ("limit=5&status=done", &["there is no parameter `limit`", "status is not one of running, completed, failed"]),
        ("from=yesterday&min_cost=much", &["from is not an RFC 3339 time", "min_cost "]),
    ] {
        for noun in ["traces", "spans"] {
            let answer = client.get(&format!("/api/v1/{noun}/export?{query}")).await.expect(400);
            for fault in faults {
                assert!(answer.error().contains(fault), "{}", answer.text);
            }
        }
    }
    client.with_key("").get("/api/v1/traces/export").await.expect(401);
    assert_eq!(client.delete("/api/v1/spans/export").await.status.as_u16(), 405);
    let trace: Value = client.get("/api/v1/traces").await.expect(200).json()["traces"][0].clone();
    client.get(&format!("/api/v1/traces/{}", trace["id"].as_str().unwrap())).await.expect(200);
}
