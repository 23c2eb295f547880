//! Skills: versions that are never lost, whoever writes at the same time.

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Client, Retrace};

const UNKNOWN: &str = "9debeeaf-b46e-44fd-8a0a-7efe35a59df9";

fn research() -> Value {
    json!({
        "name": "research",
        "description": "Finds things out",
        "definition": {
            "tools": ["web_search", {"name": "fetch", "parameters": {"type": "object", "properties": {"url": {"type": "string"}}}}],
            "prompt_template": "Find {{x}}",
            "max_iterations": 5,
            "error_handling": "retry",
            "memory_scope": "project",
            "own": 0
        },
        "scope": "project",
        "tags": ["web", "text", "web"],
        "is_public": true
    })
}

async fn send(client: &Client, method: Method, path: &str, if_match: &str, body: &Value) -> Answer {
    client.send(method, path, &[("if-match", if_match)], Some(body.to_string().into_bytes())).await
}

fn versions_of(list: &Value) -> Vec<i64> {
    list["versions"].as_array().unwrap().iter().map(|version| version["version"].as_i64().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_skill_has_all_its_versions_until_it_is_deleted() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let text = research().to_string().replace("\"own\":0", "\"own\":0.10");
    let created = client.post_text("/api/v1/skills", &text).await.expect(201);
    assert!(created.text.contains("\"own\":0.10"), "the definition is kept as it is sent: {}", created.text);
    assert_eq!(created.headers["etag"], "\"1\"");
    let id = created.text.split("\"id\":\"").nth(1).unwrap()[..36].to_owned();
    let path = format!("/api/v1/skills/{id}");
    let first = client.get(&path).await.expect(200);
    assert_eq!((first.text.as_str(), &first.headers["etag"]), (created.text.as_str(), &created.headers["etag"]));

    let second = send(client, Method::PATCH, &path, "\"1\"", &json!({"description": "", "definition": {}})).await;
    let second = second.expect(200).json();
    assert_eq!(
        (&second["version"], &second["description"], &second["name"]),
        (&json!(2), &json!(""), &json!("research"))
    );
    assert_eq!(second["tags"], json!(["web", "text"]));
    let stale = send(client, Method::PATCH, &path, "\"1\"", &json!({"name": "x"})).await.expect(412);
    assert_eq!(stale.error(), "The skill is at version 2, not at 1 as If-Match says");
    send(client, Method::DELETE, &path, "\"1\"", &json!({})).await.expect(412);
    let restored = client.post(&format!("{path}/restore"), &json!({"version": 1})).await.expect(200);
    assert!(restored.text.contains("0.10") && restored.text.contains("\"version\":3"), "{}", restored.text);
    let missing = client.post(&format!("{path}/restore"), &json!({"version": 9})).await.expect(404);
    assert_eq!(missing.error(), "Version 9 of the skill not found");

    let versions = client.get(&format!("{path}/versions?limit=2")).await.expect(200);
    let versions = versions.json();
    assert_eq!((versions_of(&versions), &versions["total"]), (vec![3, 2], &json!(3)));
    assert_eq!(versions["versions"][0]["restores"], 1);
    let cursor = versions["next_cursor"].as_str().unwrap();
    let rest = client.get(&format!("{path}/versions?limit=2&cursor={cursor}")).await.expect(200);
    assert!(rest.text.contains("\"next_cursor\":null"), "{}", rest.text);
    assert_eq!(client.get(&format!("{path}?version=2")).await.expect(200).json(), second);
    client.get(&format!("{path}?version=4")).await.expect(404);

    for (client, path) in [
        (client, format!("/api/v1/skills/{UNKNOWN}")),
        (client, "/api/v1/skills/x".to_owned()),
        (&retrace.key_of("other", "eve").await, path.clone()),
    ] {
        client.get(&path).await.expect(404);
        client.get(&format!("{path}/versions")).await.expect(404);
        client.patch(&path, &json!({"name": "stolen"})).await.expect(404);
        client.post(&format!("{path}/restore"), &json!({"version": 1})).await.expect(404);
        client.delete(&path).await.expect(404);
    }
    retrace.assert_exact().await;
    send(client, Method::DELETE, &path, "*", &json!({})).await.expect(204);
    client.get(&path).await.expect(404);
    client.delete(&path).await.expect(404);
    assert_eq!(client.get("/api/v1/skills?tags=web").await.expect(200).json()["total"], 0);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_skill_is_named() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let long = "x".repeat(300);
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    for (body, faults) in [
        (json!({}), "name is missing"),
        (json!({"name": " ", "scope": ""}), "name is empty; scope is empty"),
        (
            json!({"name": long, "tags": [""], "is_public": 1}),
            "name is longer than 256 characters; is_public is neither true nor false; tags[0] is empty",
        ),
        (json!({"name": "a\u{0}b", "description": 5}), "name contains NUL; description is not text"),
        (json!({"name": "a", "definition": []}), "definition is not an object"),
        (
            json!({"name": "a", "definition": {"max_iterations": 0, "error_handling": "panic", "memory_scope": 1, "prompt_template": {}}}),
            "definition.prompt_template is not text; definition.max_iterations is not a whole number from 1 to 10000; \
             definition.error_handling is not one of retry, fail, fallback; definition.memory_scope is not one of session, project, global",
        ),
        (
            json!({"name": "a", "definition": {"tools": [1, {}, "", {"type": "function", "function": {"name": "f", "parameters": {"type": "objekt"}}}]}}),
            "definition.tools[0] is neither a name nor an object; definition.tools[1].name is missing; definition.tools[2] is not text of 1 to 128 characters; \
             definition.tools[3].function.parameters is not a JSON Schema: at /type: \"objekt\" is not valid under any of the schemas listed in the 'anyOf' keyword",
        ),
    ] {
        assert_eq!(client.post("/api/v1/skills", &body).await.expect(400).error(), faults);
    }
    let nested = format!("{{\"name\": \"a\", \"definition\": {{\"own\": {deep}}}}}");
    let refused = client.post_text("/api/v1/skills", &nested).await.expect(400).error();
    assert!(refused.starts_with("definition cannot be read: recursion limit exceeded"), "{refused}");
    client.post_text("/api/v1/skills", "[]").await.expect(400);
    client.post_text("/api/v1/skills", "{\"name\":\"\\ud800\"}").await.expect(400);
    let id = client.post("/api/v1/skills", &json!({"name": "a"})).await.expect(201).json()["id"].clone();
    let path = format!("/api/v1/skills/{}", id.as_str().unwrap());
    let nothing = client.patch(&path, &json!({"version": 7})).await.expect(400);
    assert!(nothing.error().starts_with("the body changes none of"), "{}", nothing.text);
    for body in [json!({}), json!({"version": 0}), json!({"version": "1"})] {
        assert!(client.post(&format!("{path}/restore"), &body).await.expect(400).error().starts_with("version is"));
    }
    send(client, Method::PATCH, &path, "one", &json!({"name": "b"})).await.expect(412);
    for query in ["limit=0", "limit=201", "offset=10001", "tags=a,,b", "scope=%00", "colour=red", "cursor=AAAA"] {
        client.get(&format!("/api/v1/skills?{query}")).await.expect(400);
    }
    client.get(&format!("{path}?version=0")).await.expect(400);
    assert_eq!(client.get(&path).await.expect(200).json()["version"], 1);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_writers_make_fifty_versions() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let id = client.post("/api/v1/skills", &json!({"name": "shared"})).await.expect(201).json()["id"].clone();
    let path = format!("/api/v1/skills/{}", id.as_str().unwrap());
    let writes = (0..50).map(|n| {
        let (client, path) = (client.clone(), path.clone());
        async move { (n, client.patch(&path, &json!({"description": format!("of {n}")})).await.expect(200).json()) }
    });
    let mut answers = join_all(writes).await;
    answers.sort_by_key(|(_, skill)| skill["version"].as_i64());
    let versions: Vec<i64> = answers.iter().map(|(_, skill)| skill["version"].as_i64().unwrap()).collect();
    assert_eq!(versions, (2..=51).collect::<Vec<i64>>());
    for (n, skill) in &answers {
        assert_eq!(skill["description"], format!("of {n}"), "every writer is shown its own version");
    }
    let kept = client.get(&format!("{path}/versions?limit=200")).await.expect(200).json();
    let described: Vec<&Value> = kept["versions"].as_array().unwrap().iter().rev().map(|v| &v["description"]).collect();
    let expected: Vec<&Value> = answers.iter().map(|(_, skill)| &skill["description"]).collect();
    assert_eq!(described[1..], expected);

    // With If-Match one of fifty wins.
    let races = (0..50).map(|n| {
        let (client, path) = (client.clone(), path.clone());
        async move {
            send(&client, Method::PATCH, &path, "\"51\"", &json!({"name": format!("winner {n}")})).await.status.as_u16()
        }
    });
    let mut statuses = join_all(races).await;
    statuses.sort_unstable();
    assert_eq!((statuses[0], &statuses[1..]), (200, &[412; 49][..]));
    assert_eq!(client.get(&path).await.expect(200).json()["version"], 52);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_paged_and_narrowed() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    for n in 0..25 {
        let tags = if n % 5 == 0 { json!(["all", "fifth"]) } else { json!(["all"]) };
        let scope = if n % 2 == 0 { "even" } else { "odd" };
        client.post("/api/v1/skills", &json!({"name": format!("{n}"), "tags": tags, "scope": scope})).await.expect(201);
    }
    let names = |list: &Value| -> Vec<i64> {
        let skills = list["skills"].as_array().unwrap().iter();
        skills.map(|skill| skill["name"].as_str().unwrap().parse().unwrap()).collect()
    };
    for filter in ["", "&tags=all", "&scope=even", "&tags=all,fifth", "&tags=fifth&scope=odd"] {
        let holds = |n: i64| {
            (!filter.contains("fifth") || n % 5 == 0)
                && (!filter.contains("even") || n % 2 == 0)
                && (!filter.contains("odd") || n % 2 == 1)
        };
        let expected: Vec<i64> = (0..25).rev().filter(|n| holds(*n)).collect();
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = client.get(&format!("/api/v1/skills?limit=4{filter}{cursor}")).await.expect(200).json();
            assert_eq!((&page["total"], &page["total_is"]), (&json!(expected.len()), &Value::Null), "{filter}");
            seen.extend(names(&page));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(seen, expected, "{filter}");
    }
    let page = client.get("/api/v1/skills?limit=3&offset=2").await.expect(200).json();
    assert_eq!(names(&page), [22, 21, 20]);
    let next = page["next_cursor"].as_str().unwrap();
    client.get(&format!("/api/v1/skills?limit=3&scope=odd&cursor={next}")).await.expect(400);
    assert_eq!(retrace.key_of("other", "eve").await.get("/api/v1/skills").await.expect(200).json()["total"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retried_write_is_one_write() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let once = |method: Method, path: &str, key: &'static str, body: Value| {
        let (client, path) = (client.clone(), path.to_owned());
        async move { client.send(method, &path, &[("idempotency-key", key)], Some(body.to_string().into_bytes())).await }
    };
    let first = once(Method::POST, "/api/v1/skills", "a", json!({"name": "one"})).await.expect(201);
    let again = once(Method::POST, "/api/v1/skills", "a", json!({"name": "one"})).await.expect(201);
    assert_eq!((first.json(), first.position()), (again.json(), again.position()));
    once(Method::POST, "/api/v1/skills", "a", json!({"name": "two"})).await.expect(409);
    let path = format!("/api/v1/skills/{}", first.json()["id"].as_str().unwrap());
    let changed = once(Method::PATCH, &path, "b", json!({"name": "1"})).await.expect(200).json();
    assert_eq!(once(Method::PATCH, &path, "b", json!({"name": "1"})).await.expect(200).json(), changed);
    assert_eq!(client.get(&path).await.expect(200).json()["version"], 2);
    // What was refused is refused again, though it would be accepted by now.
    let absent = format!("/api/v1/skills/{UNKNOWN}");
    let refused = once(Method::PATCH, &absent, "c", json!({"name": "1"})).await.expect(404);
    assert_eq!(once(Method::PATCH, &absent, "c", json!({"name": "1"})).await.expect(404).error(), refused.error());
    assert_eq!(client.get("/api/v1/skills").await.expect(200).json()["total"], 1);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_decided_stays_decided_without_its_content() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let mut ids = Vec::new();
    for name in ["kept", "gone"] {
        let created = client.post("/api/v1/skills", &json!({"name": name, "tags": [name]})).await.expect(201).json();
        ids.push(created["id"].as_str().unwrap().to_owned());
    }
    let (kept, gone) = (format!("/api/v1/skills/{}", ids[0]), format!("/api/v1/skills/{}", ids[1]));
    // What is not found of a skill that is there takes nothing from it.
    client.post(&format!("{kept}/restore"), &json!({"version": 7})).await.expect(404);
    client.patch(&gone, &json!({"description": "secret"})).await.expect(200);
    client.delete(&gone).await.expect(204);
    // Late content of what is not there is erased too.
    client.patch(&gone, &json!({"description": "late"})).await.expect(404);
    let before = client.get("/api/v1/skills").await.expect(200).json();
    retrace.settled().await;
    let keys = retrace.sealed_under().await;
    assert!(keys.contains(&format!("skills/{}", ids[0])) && keys.contains(&format!("skills/{}", ids[1])), "{keys:?}");

    assert_eq!(retrace.erase().await, 2);
    assert_eq!(retrace.erase().await, 0, "nothing is left to erase");
    let keys = retrace.sealed_under().await;
    assert!(keys.contains(&format!("skills/{}", ids[0])) && !keys.contains(&format!("skills/{}", ids[1])), "{keys:?}");
    retrace.assert_exact().await;

    retrace.rebuild_workspace().await;
    assert_eq!(client.get("/api/v1/skills").await.expect(200).json(), before);
    client.get(&gone).await.expect(404);
    client.patch(&kept, &json!({"name": "still"})).await.expect(200);
    retrace.assert_exact().await;
}
