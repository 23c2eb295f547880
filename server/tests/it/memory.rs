//! Memory: stored by key within a scope, found by words, not shown once it has expired, erased when it is deleted.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::harness::{Answer, Client, Retrace, eventually};

const PATH: &str = "/api/v1/memory";

fn entry(key: &str, value: Value) -> Value {
    json!({"key": key, "value": value, "scope": "global"})
}

fn with(mut entry: Value, more: Value) -> Value {
    for (name, value) in more.as_object().unwrap() {
        entry[name] = value.clone();
    }
    entry
}

async fn search(client: &Client, body: Value) -> Vec<Value> {
    let found = client.post(&format!("{PATH}/search"), &body).await.expect(200).json();
    found["results"].as_array().unwrap().clone()
}

fn keys(entries: &[Value]) -> Vec<&str> {
    entries.iter().map(|entry| entry["key"].as_str().unwrap()).collect()
}

async fn listed(client: &Client, query: &str) -> Vec<Value> {
    let list = client.get(&format!("{PATH}?{query}")).await.expect(200).json();
    list["memories"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_is_stored_by_its_key_within_its_scope() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    // Kept as it is sent, blanks and digits included.
    let body =
        r#"{"key": "style", "value": {"tabs":  false, "width": 1.50}, "scope": "global", "category": "preference"}"#;
    let created = client.post_text(PATH, body).await.expect(201);
    assert!(created.text.contains(r#""value":{"tabs":  false, "width": 1.50}"#), "{}", created.text);
    assert_eq!(created.headers["etag"], "\"1\"");
    let first = created.json();
    let id = first["id"].as_str().unwrap();
    assert_eq!(
        (&first["category"], &first["confidence"], &first["version"], &first["expires_at"], &first["created_by"]),
        (&json!("preference"), &json!(1.0), &json!(1), &Value::Null, &json!("local"))
    );
    let read = client.get(&format!("{PATH}/{id}")).await.expect(200);
    assert_eq!((&read.text, &read.headers["etag"]), (&created.text, &created.headers["etag"]));

    // The same key again replaces all of it, and no other scope's.
    let again = with(entry("style", json!("spaces")), json!({"confidence": 0.5}));
    let changed = client.post(PATH, &again).await.expect(200);
    assert_eq!(changed.headers["etag"], "\"2\"");
    let second = changed.json();
    assert_eq!(
        (&second["id"], &second["version"], &second["value"], &second["category"], &second["confidence"]),
        (&first["id"], &json!(2), &json!("spaces"), &json!("fact"), &json!(0.5))
    );
    assert_eq!(second["created_at"], first["created_at"]);
    for ids in [
        json!({"scope": "project", "project_id": "p"}),
        json!({"scope": "project", "project_id": "q"}),
        json!({"scope": "session", "session_id": "p"}),
        json!({"scope": "session", "session_id": "p", "project_id": "p"}),
    ] {
        let other = client.post(PATH, &with(entry("style", json!("other")), ids)).await.expect(201).json();
        assert_ne!(other["id"], first["id"]);
    }
    assert_eq!(client.get(&format!("{PATH}/{id}")).await.expect(200).json(), second);

    client.delete(&format!("{PATH}/{id}")).await.expect(204);
    client.get(&format!("{PATH}/{id}")).await.expect(404);
    client.delete(&format!("{PATH}/{id}")).await.expect(404);
    let anew = client.post(PATH, &entry("style", json!("new"))).await.expect(201).json();
    assert_ne!(anew["id"], first["id"]);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_filtered_and_paged() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    for (n, more) in [
        json!({"scope": "session", "session_id": "s"}),
        json!({"scope": "session", "session_id": "s", "project_id": "p", "category": "pattern"}),
        json!({"scope": "project", "project_id": "p"}),
        json!({"category": "pattern"}),
        json!({}),
    ]
    .into_iter()
    .enumerate()
    {
        client.post(PATH, &with(entry(&format!("k{n}"), json!(n)), more)).await.expect(201);
    }
    for (query, expected) in [
        ("", vec!["k4", "k3", "k2", "k1", "k0"]),
        ("scope=session", vec!["k1", "k0"]),
        ("scope=session&category=pattern", vec!["k1"]),
        ("category=pattern", vec!["k3", "k1"]),
        ("project_id=p", vec!["k2", "k1"]),
        ("session_id=s", vec!["k1", "k0"]),
        ("session_id=s&project_id=p", vec!["k1"]),
        ("key=k2", vec!["k2"]),
        ("key=k", vec![]),
    ] {
        assert_eq!(keys(&listed(client, query).await), expected, "{query}");
    }
    let mut seen = Vec::new();
    let mut path = format!("{PATH}?limit=2");
    loop {
        let page = client.get(&path).await.expect(200).json();
        assert_eq!(page["total"], 5);
        seen.extend(keys(page["memories"].as_array().unwrap()).into_iter().map(str::to_owned));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        client.get(&format!("{PATH}?scope=global&cursor={cursor}")).await.expect(400);
        path = format!("{PATH}?limit=2&cursor={cursor}");
    }
    assert_eq!(seen, ["k4", "k3", "k2", "k1", "k0"]);
    for (query, fault) in [
        ("scope=all", "scope is not one of session, project, global"),
        ("category=x", "category is not one of fact, preference, correction, pattern, instruction"),
        ("key=a%00", "key contains NUL"),
        ("limit=0", "limit is not a whole number from 1 to 200"),
        ("tag=a", "there is no parameter `tag`"),
    ] {
        assert_eq!(client.get(&format!("{PATH}?{query}")).await.expect(400).error(), fault);
    }
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn search_ranks_by_the_words_that_an_entry_has() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    for body in [
        entry("user.drink", json!("tea tea tea tea tea tea tea tea")),
        with(entry("breakfast", json!({"drink": "tea\nand milk"})), json!({"category": "preference"})),
        with(entry("meeting", json!("milk caf\u{e9}")), json!({"scope": "session", "session_id": "s"})),
        entry("unrelated", json!("nothing here")),
    ] {
        client.post(PATH, &body).await.expect(201);
    }
    let found = search(client, json!({"query": "Tea & milk!"})).await;
    // Both words come before one word, however often.
    assert_eq!(keys(&found), ["breakfast", "user.drink", "meeting"]);
    let scores: Vec<f64> = found.iter().map(|hit| hit["score"].as_f64().unwrap()).collect();
    assert!(scores.is_sorted_by(|a, b| a > b) && scores.iter().all(|score| (0.0..=1.0).contains(score)), "{scores:?}");
    assert_eq!(found[0]["value"], json!({"drink": "tea\nand milk"}));
    for (body, expected) in [
        (json!({"query": "drink"}), vec!["breakfast", "user.drink"]),
        (json!({"query": "CAF\u{c9} café"}), vec!["meeting"]),
        (json!({"query": "milk", "scope": "session"}), vec!["meeting"]),
        (json!({"query": "milk", "session_id": "s"}), vec!["meeting"]),
        (json!({"query": "milk", "project_id": "p"}), vec![]),
        (json!({"query": "milk", "category": "preference"}), vec!["breakfast"]),
        (json!({"query": "tea milk", "limit": 1}), vec!["breakfast"]),
        (json!({"query": "' | !( \\ :*"}), vec![]),
        (json!({"query": "it's o'clock <-> tea:*"}), vec!["user.drink", "breakfast"]),
    ] {
        let found = search(client, body.clone()).await;
        let (found, expected): (BTreeSet<_>, BTreeSet<_>) =
            (keys(&found).into_iter().collect(), expected.into_iter().collect());
        assert_eq!(found, expected, "{body}");
    }
    let stranger = retrace.key_of("acme", "ann").await;
    assert!(search(&stranger, json!({"query": "tea"})).await.is_empty());
    for (body, fault) in [
        (json!({}), "query is missing"),
        (json!({"query": "", "limit": 101}), "query is empty; limit is not a whole number from 1 to 100"),
        (json!({"query": "x".repeat(2_001)}), "query is longer than 2000 characters"),
        (json!({"query": "a", "scope": "all"}), "scope is not one of session, project, global"),
    ] {
        assert_eq!(client.post(&format!("{PATH}/search"), &body).await.expect(400).error(), fault);
    }
    let get = client.get(&format!("{PATH}/search")).await.expect(405);
    assert_eq!(get.headers["allow"], "POST");
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_body_is_named() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    for (body, fault) in [
        (json!({}), "key is missing; value is missing; scope is missing"),
        (entry("", json!("v")), "key is empty"),
        (entry(&"k".repeat(513), json!("v")), "key is longer than 512 characters"),
        (entry("a\0", json!("v")), "key contains NUL"),
        (entry("k", json!("")), "value is empty"),
        (entry("k", json!("v".repeat(65_537))), "value is longer than 65536 bytes"),
        (entry("k", json!(["\0"])), "value contains NUL"),
        (with(entry("k", json!(1)), json!({"scope": "all"})), "scope is not one of session, project, global"),
        (with(entry("k", json!(1)), json!({"scope": "session"})), "session_id is missing, where scope is session"),
        (with(entry("k", json!(1)), json!({"scope": "project"})), "project_id is missing, where scope is project"),
        (with(entry("k", json!(1)), json!({"project_id": "p"})), "project_id does not go with scope global"),
        (with(entry("k", json!(1)), json!({"confidence": 2})), "confidence is not a number from 0 to 1"),
        (with(entry("k", json!(1)), json!({"expires_at": "2020-01-01T00:00:00Z"})), "expires_at is not in the future"),
    ] {
        assert_eq!(client.post(PATH, &body).await.expect(400).error(), fault);
    }
    let both = with(entry("k", json!(1)), json!({"ttl_seconds": 5, "expires_at": "2030-01-01T00:00:00Z"}));
    assert!(client.post(PATH, &both).await.expect(400).error().contains("ttl_seconds and expires_at"));
    let longest = "v".repeat(65_536);
    let stored = client.post(PATH, &entry(&"k".repeat(512), json!(longest))).await.expect(201).json();
    assert_eq!(stored["value"], longest);

    // What is not there, and what is another tenant's, look alike.
    let id = stored["id"].as_str().unwrap();
    let stranger = retrace.key_of("acme", "ann").await;
    for (client, id) in [(&stranger, id), (client, "0b6c2f6e-8a0e-4a53-9d0e-3f6a5f1f7a01"), (client, "x")] {
        for method in [Method::GET, Method::DELETE] {
            let answer = client.send(method, &format!("{PATH}/{id}"), &[], None).await.expect(404);
            assert_eq!(answer.error(), "Memory entry not found");
        }
    }
    assert!(listed(&stranger, "").await.is_empty());
    stranger.post(PATH, &entry(&"k".repeat(512), json!("theirs"))).await.expect(201);
    assert_eq!(client.get(&format!("{PATH}/{id}")).await.expect(200).json(), stored);
    client.with_key("").get(PATH).await.expect(401);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_expired_is_not_shown_until_it_is_stored_again() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    client.post(PATH, &entry("stays", json!("tea"))).await.expect(201);
    let brief = with(entry("brief", json!("tea")), json!({"ttl_seconds": 5}));
    let stored = client.post(PATH, &brief).await.expect(201).json();
    assert!(stored["expires_at"].is_string());
    let path = format!("{PATH}/{}", stored["id"].as_str().unwrap());
    client.get(&path).await.expect(200);
    eventually("the end of an entry's life", async || client.get(&path).await.status == 404).await;
    assert_eq!(keys(&listed(client, "").await), ["stays"]);
    assert_eq!(client.get(PATH).await.expect(200).json()["total"], 1);
    assert_eq!(keys(&search(client, json!({"query": "tea"})).await), ["stays"]);
    let again = client.post(PATH, &entry("brief", json!("coffee"))).await.expect(200).json();
    assert_eq!((&again["id"], &again["version"], &again["expires_at"]), (&stored["id"], &json!(2), &Value::Null));
    assert_eq!(client.get(&path).await.expect(200).json(), again);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_writers_of_one_key_lose_no_version() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let bodies: Vec<Value> = (0..50).map(|n| entry("contended", json!(format!("value {n}")))).collect();
    let answers: Vec<Answer> = futures::future::join_all(bodies.iter().map(|body| client.post(PATH, body))).await;
    let created = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!((created, answers.iter().filter(|answer| answer.status == 200).count()), (1, 49));
    let mut versions = Vec::new();
    for (body, answer) in bodies.iter().zip(&answers) {
        let shown = answer.json();
        // Each is answered what it stored, whoever came after it.
        assert_eq!(shown["value"], body["value"]);
        assert_eq!(answer.headers["etag"].to_str().unwrap(), format!("\"{}\"", shown["version"]));
        assert_eq!(shown["id"], answers[0].json()["id"]);
        versions.push(shown["version"].as_i64().unwrap());
    }
    let newest = versions.iter().zip(&bodies).max_by_key(|(version, _)| **version).unwrap().1;
    versions.sort_unstable();
    assert_eq!(versions, (1..=50).collect::<Vec<_>>());
    let entries = listed(client, "").await;
    assert_eq!((entries.len(), &entries[0]["version"], &entries[0]["value"]), (1, &json!(50), &newest["value"]));
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retried_entry_is_stored_once() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let post = async |body: Value| {
        let body = Some(body.to_string().into_bytes());
        client.send(Method::POST, PATH, &[("idempotency-key", "once")], body).await
    };
    let first = post(entry("k", json!("v"))).await.expect(201);
    let second = post(entry("k", json!("v"))).await.expect(201);
    assert_eq!((first.json(), first.position()), (second.json(), second.position()));
    post(entry("k", json!("other"))).await.expect(409);
    assert_eq!(listed(client, "").await[0]["version"], 1);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_entry_leaves_no_key_of_anything_that_was_stored_under_it() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    for n in 0..3 {
        client.post(PATH, &entry("gone", json!(format!("secret {n}")))).await;
    }
    let gone = listed(client, "").await[0]["id"].as_str().unwrap().to_owned();
    let owners = retrace.sealed_under().await;
    assert_eq!(owners.len(), 3);
    let kept = client.post(PATH, &entry("kept", json!("stays"))).await.expect(201).json();
    // A second content of it, under an id that names no entry: to delete that id takes nothing from it.
    client.post(PATH, &entry("kept", json!("stays too"))).await.expect(200);
    let all = retrace.sealed_under().await;
    for owner in all.difference(&owners).filter(|owner| !owner.ends_with(kept["id"].as_str().unwrap())) {
        client.delete(&format!("/api/v1/{owner}")).await.expect(404);
    }
    client.delete(&format!("{PATH}/{gone}")).await.expect(204);
    retrace.settled().await;
    assert_eq!(retrace.erase().await, 3);
    assert_eq!(retrace.erase().await, 0, "nothing is left to erase");
    assert_eq!(retrace.sealed_under().await, &all - &owners);
    retrace.assert_exact().await;

    let (outcomes, entries) = (outcomes(&retrace).await, client.get(PATH).await.expect(200).text);
    retrace.rebuild_workspace().await;
    assert_eq!(self::outcomes(&retrace).await, outcomes);
    assert_eq!(client.get(PATH).await.expect(200).text, entries);
    client.get(&format!("{PATH}/{gone}")).await.expect(404);
    assert_eq!(keys(&search(client, json!({"query": "secret stays"})).await), ["kept"]);
    let anew = client.post(PATH, &entry("gone", json!("new"))).await.expect(201).json();
    assert_ne!(anew["id"], gone);
    retrace.assert_exact().await;
}

type Outcome = (Uuid, i16, Option<i64>, Option<Uuid>, Option<String>);

async fn outcomes(retrace: &Retrace) -> Vec<Outcome> {
    let pool = runtime::postgres::pool(&retrace.settings).unwrap();
    let schema = runtime::postgres::live_schema(&pool, "workspace").await.unwrap();
    let sql =
        format!("SELECT event_id, status, version, resource, reason FROM {schema}.command_outcomes ORDER BY event_id");
    sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&pool).await.unwrap()
}
