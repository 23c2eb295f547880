//! Prompts: versions, labels, names, and what differs.

use std::collections::BTreeSet;

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Client, Retrace};

const PROMPTS: &str = "/api/v1/prompts";

async fn create(client: &Client, name: &str) -> Value {
    client.post(PROMPTS, &json!({"name": name, "content": "Hello {{name}}"})).await.expect(201).json()
}

fn path(prompt: &Value, rest: &str) -> String {
    format!("{PROMPTS}/{}{rest}", prompt["id"].as_str().unwrap())
}

/// What the prompt's readers see.
async fn seen(client: &Client, prompt: &Value) -> Vec<Value> {
    let mut answers = Vec::new();
    for rest in ["", "/versions", "?label=production", "/diff?from=1&to=2"] {
        answers.push(client.get(&path(prompt, rest)).await.expect(200).json());
    }
    answers.push(client.get(PROMPTS).await.expect(200).json());
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_has_versions_and_labels() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let body = json!({"name": "support/greeting".replace('/', " "), "description": "says hello",
        "content": "Hello {{name}},\nhow are you? {{ mood }} {{name}}", "model": "gpt-4o", "config": {"temperature": 0.5},
        "labels": ["production"], "message": "first"});
    let answer = client.post(PROMPTS, &body).await.expect(201);
    assert_eq!(answer.headers["etag"], "\"1\"");
    let prompt = answer.json();
    assert_eq!((prompt["latest_version"].as_i64(), prompt["versions_total"].as_i64()), (Some(1), Some(1)));
    let first = &prompt["versions"][0];
    assert_eq!(first["variables"], json!(["name", "mood"]));
    assert_eq!((&first["messages"], &first["config"]), (&Value::Null, &json!({"temperature": 0.5})));
    let mut after = client.get_after(&path(&prompt, ""), &answer.position()).await.expect(200).json();
    assert_eq!(after, prompt);

    // By its name as by its id.
    let named = format!("{PROMPTS}/support%20greeting");
    assert_eq!(client.get(&named).await.expect(200).json(), prompt);
    let chat = json!({"messages": [{"role": "system", "content": "Be {{tone}}."}, {"role": "user", "content":
        [{"type": "text", "text": "Hi"}]}], "labels": ["canary"]});
    let headers = [("if-match", "\"1\"")];
    let added = client.send(Method::POST, &format!("{named}/versions"), &headers, Some(chat.to_string().into())).await;
    let added = added.expect(201);
    assert_eq!(added.headers["etag"], "\"2\"");
    let added = added.json();
    assert_eq!(added["labels"], json!({"production": 1, "canary": 2}));
    assert_eq!((added["versions"].as_array().unwrap().len(), &added["versions"][0]["version"]), (1, &json!(2)));
    assert_eq!(added["versions"][0]["messages"], chat["messages"]);
    let stale = client.send(Method::POST, &path(&prompt, "/versions"), &headers, Some(chat.to_string().into())).await;
    assert_eq!(stale.expect(412).error(), "The prompt is at version 2, not at 1 as If-Match says");

    after = client.get(&path(&prompt, "")).await.expect(200).json();
    let numbers: Vec<_> =
        after["versions"].as_array().unwrap().iter().map(|v| v["version"].as_i64().unwrap()).collect();
    assert_eq!((numbers, &after["versions_cursor"]), (vec![2, 1], &Value::Null));
    for (query, version) in [("label=production", 1), ("label=latest", 2), ("version=1", 1), ("label=canary", 2)] {
        let one = client.get(&format!("{named}?{query}")).await.expect(200);
        assert_eq!(one.headers["etag"], "\"2\"");
        let one = one.json();
        assert_eq!((one["versions"].as_array().unwrap().len(), &one["versions"][0]["version"]), (1, &json!(version)));
    }
    let page = client.get(&path(&prompt, "/versions?limit=1")).await.expect(200).json();
    let next = page["next_cursor"].as_str().unwrap();
    assert_eq!((&page["versions"][0]["version"], &page["total"]), (&json!(2), &json!(2)));
    let page = client.get(&format!("{named}/versions?limit=1&cursor={next}")).await.expect(200).json();
    assert_eq!((&page["versions"][0]["version"], &page["next_cursor"]), (&json!(1), &Value::Null));

    let moved = json!({"version": 2, "from_version": 1});
    let moved = client.put(&format!("{named}/labels/production"), &moved).await.expect(200).json();
    assert_eq!((&moved["labels"]["production"], &moved["versions"][0]["version"]), (&json!(2), &json!(2)));
    client.delete(&path(&prompt, "/labels/canary")).await.expect(204);
    assert_eq!(
        client.delete(&path(&prompt, "/labels/canary")).await.expect(404).error(),
        "Label canary of the prompt not found"
    );

    let diff = client.get(&format!("{named}/diff?from=1&to=2")).await.expect(200).json();
    let paths: Vec<_> = diff["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| (c["path"].as_str().unwrap(), c["op"].as_str().unwrap()))
        .collect();
    assert_eq!(
        paths,
        [
            ("content", "removed"),
            ("messages[0]", "added"),
            ("messages[1]", "added"),
            ("model", "removed"),
            ("config.temperature", "removed"),
            ("variables", "changed")
        ]
    );
    assert_eq!(
        diff["text"],
        json!([
        {"op": "delete", "lines": ["Hello {{name}},", "how are you? {{ mood }} {{name}}"]},
        {"op": "insert", "lines": ["system: Be {{tone}}.", "user: Hi"]}])
    );

    let before = seen(client, &prompt).await;
    retrace.assert_exact().await;
    retrace.rebuild_workspace().await;
    assert_eq!(seen(client, &prompt).await, before);
    client.delete(&named).await.expect(204);
    client.get(&named).await.expect(404);
    client.get(&path(&prompt, "")).await.expect(404);
    client.delete(&path(&prompt, "")).await.expect(404);
    // The name is free.
    client.post(PROMPTS, &body).await.expect(201);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_by_age_name_and_label() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    for at in 0..5 {
        let label = if at % 2 == 0 { "even" } else { "odd" };
        let body = json!({"name": format!("p{at}"), "content": "x", "labels": [label]});
        client.post(PROMPTS, &body).await.expect(201);
    }
    let names = |list: &Value| -> Vec<String> {
        list["prompts"].as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap().to_owned()).collect()
    };
    let all = client.get(PROMPTS).await.expect(200).json();
    assert_eq!((names(&all), &all["total"]), (["p4", "p3", "p2", "p1", "p0"].map(String::from).to_vec(), &json!(5)));
    assert_eq!(all["prompts"][0]["labels"], json!({"even": 1}));
    assert_eq!(names(&client.get(&format!("{PROMPTS}?label=latest")).await.json()), names(&all));
    let even = client.get(&format!("{PROMPTS}?label=even&limit=2")).await.expect(200).json();
    assert_eq!((names(&even), &even["total"]), (vec!["p4".to_owned(), "p2".to_owned()], &json!(3)));
    let cursor = even["next_cursor"].as_str().unwrap();
    let rest = client.get(&format!("{PROMPTS}?label=even&limit=2&cursor={cursor}")).await.expect(200).json();
    assert_eq!((names(&rest), &rest["next_cursor"]), (vec!["p0".to_owned()], &Value::Null));
    client.get(&format!("{PROMPTS}?label=odd&cursor={cursor}")).await.expect(400);
    assert_eq!(names(&client.get(&format!("{PROMPTS}?name=p3")).await.json()), ["p3"]);
    assert_eq!(names(&client.get(&format!("{PROMPTS}?name=p3&label=even")).await.json()), [""; 0]);
    assert_eq!(
        client.get(&format!("{PROMPTS}?label=a%00&limit=0")).await.expect(400).error(),
        "label contains NUL; limit is not a whole number from 1 to 200"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_refused_by_its_name() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let prompt = create(client, "greeting").await;
    for (body, fault) in [
        (json!({}), "name is missing; content is missing, and so is messages"),
        (json!({"name": "a/b", "content": "x"}), "name contains `/`"),
        (json!({"name": prompt["id"], "content": "x"}), "name has the form of an id"),
        (json!({"name": "n".repeat(257), "content": "x"}), "name is longer than 256 characters"),
        (json!({"name": "n", "content": "x\0"}), "content contains NUL"),
        (json!({"name": "n", "content": "x", "model": 1, "message": 2}), "model is not text; message is not text"),
        (json!({"name": "n", "content": "x", "description": []}), "description is not text"),
    ] {
        assert_eq!(client.post(PROMPTS, &body).await.expect(400).error(), fault);
    }
    let refused = client.post(&path(&prompt, "/versions"), &json!({"content": "x", "config": 1})).await;
    assert_eq!(refused.expect(400).error(), "config is not an object");
    for (label, body, fault) in [
        ("latest", json!({"version": 1}), "label is reserved: `latest` is always the newest version"),
        ("a%20b", json!({"version": 1}), "label is not 1 to 64 letters (a to z), digits, `_`, `-` and `.`"),
        ("a", json!({"from_version": "1"}), "from_version is not a whole number from 0"),
        ("a", json!({"version": 0}), "version is not a whole number from 1"),
    ] {
        let refused = client.put(&path(&prompt, &format!("/labels/{label}")), &body).await.expect(400).error();
        assert!(refused.contains(fault), "{refused}");
    }
    client.delete(&path(&prompt, "/labels/latest")).await.expect(400);
    for (query, fault) in [
        ("?label=a&version=1", "label and version exclude each other"),
        ("?version=0", "version is not a whole number from 1 to"),
        ("/versions?cursor=x", "cursor is not one of this list"),
        ("/diff?from=1", "to is missing"),
        ("/diff?from=x&to=1", "from is not a whole number"),
    ] {
        let refused = client.get(&path(&prompt, query)).await.expect(400).error();
        assert!(refused.contains(fault), "{refused}");
    }
    for (query, fault) in [
        ("?label=a", "Label a of the prompt not found"),
        ("?version=2", "Version 2 of the prompt not found"),
        ("/diff?from=1&to=2", "Version 2 of the prompt not found"),
    ] {
        assert_eq!(client.get(&path(&prompt, query)).await.expect(404).error(), fault);
    }
    let refused = client.put(&path(&prompt, "/labels/a"), &json!({"version": 2})).await;
    assert_eq!(refused.expect(404).error(), "Version 2 of the prompt not found");

    let other = retrace.key_of("other", "eve").await;
    let unknown = format!("{PROMPTS}/{}", uuid::Uuid::new_v4());
    for (client, prompt) in [
        (&other, path(&prompt, "")),
        (&other, format!("{PROMPTS}/greeting")),
        (client, unknown),
        (client, format!("{PROMPTS}/nobody")),
    ] {
        for answer in [
            client.get(&prompt).await,
            client.get(&format!("{prompt}/versions")).await,
            client.get(&format!("{prompt}/diff?from=1&to=1")).await,
            client.post(&format!("{prompt}/versions"), &json!({"content": "x"})).await,
            client.put(&format!("{prompt}/labels/a"), &json!({"version": 1})).await,
            client.delete(&format!("{prompt}/labels/a")).await,
            client.delete(&prompt).await,
        ] {
            assert_eq!(answer.expect(404).error(), "Prompt not found");
        }
    }
    // Another tenant has names of its own.
    create(&other, "greeting").await;
    assert_eq!(other.get(PROMPTS).await.json()["total"], 1);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_has_room_for_fifty_labels() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let labels: Vec<String> = (0..50).map(|n| format!("l{n}")).collect();
    let body = json!({"name": "n", "content": "x", "labels": labels});
    let prompt = client.post(PROMPTS, &body).await.expect(201).json();
    let more = client.put(&path(&prompt, "/labels/more"), &json!({"version": 1})).await.expect(409);
    assert_eq!(more.error(), "A prompt has at most 50 labels");
    client.post(&path(&prompt, "/versions"), &json!({"content": "y", "labels": ["more"]})).await.expect(409);
    client.post(&path(&prompt, "/versions"), &json!({"content": "y", "labels": ["l7"]})).await.expect(201);
    client.delete(&path(&prompt, "/labels/l0")).await.expect(204);
    client.put(&path(&prompt, "/labels/more"), &json!({"version": 2})).await.expect(200);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_writers_add_versions_without_gaps_and_lose_no_move() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let prompt = create(client, "busy").await;
    let added = join_all((0..50).map(|n| {
        let (client, path) = (client.clone(), path(&prompt, "/versions"));
        async move { client.post(&path, &json!({"content": format!("by {n}")})).await.expect(201).json() }
    }))
    .await;
    let numbers: BTreeSet<_> = added.iter().map(|prompt| prompt["versions"][0]["version"].as_i64().unwrap()).collect();
    assert_eq!(numbers, (2..=51).collect());
    let prompt = client.get(&path(&prompt, "")).await.expect(200).json();
    let texts: BTreeSet<_> =
        prompt["versions"].as_array().unwrap().iter().map(|v| v["content"].as_str().unwrap()).collect();
    assert_eq!((texts.len(), prompt["latest_version"].as_i64()), (51, Some(51)));

    // One label: of all that move it from the same place one wins, and the next begin where that one left it.
    let mut place = 0;
    for _ in 0..5 {
        let label = path(&prompt, "/labels/canary");
        let writers = (1..=51).filter(|version| *version != place).take(50);
        let answers = join_all(writers.map(|version| {
            let (client, label, body) = (client.clone(), &label, json!({"version": version, "from_version": place}));
            async move { (version, client.put(label, &body).await) }
        }))
        .await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|(_, answer)| answer.status == 200);
        assert_eq!(won.len(), 1);
        assert!(lost.iter().all(|(_, answer)| answer.status == 412), "{lost:?}");
        place = won[0].0;
        assert_eq!(client.get(&path(&prompt, "?label=canary")).await.json()["versions"][0]["version"], place);
    }
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_creations_of_a_name_one_wins() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let body = json!({"name": "one", "content": "x"});
    let answers = join_all((0..50).map(|_| client.post(PROMPTS, &body))).await;
    let (won, lost): (Vec<Answer>, Vec<Answer>) = answers.into_iter().partition(|answer| answer.status == 201);
    assert_eq!((won.len(), lost.len()), (1, 49));
    for answer in lost {
        assert_eq!(answer.expect(409).error(), "A prompt of this name exists");
    }
    assert_eq!(client.get(PROMPTS).await.json()["total"], 1);
    // What the others sent belongs to nothing.
    retrace.settled().await;
    assert_eq!(retrace.erase().await, 49);
    let before = client.get(&path(&won[0].json(), "")).await.expect(200).json();
    retrace.rebuild_workspace().await;
    assert_eq!(client.get(&path(&won[0].json(), "")).await.expect(200).json(), before);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_prompt_that_goes_takes_its_content_along() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let (kept, gone) = (create(client, "kept").await, create(client, "gone").await);
    client.put(&path(&kept, "/labels/production"), &json!({"version": 1})).await.expect(200);
    client.post(&path(&kept, "/versions"), &json!({"content": "y"})).await.expect(201);
    client.put(&path(&kept, "/labels/canary"), &json!({"version": 1})).await.expect(200);
    client.delete(&path(&kept, "/labels/canary")).await.expect(204);
    client.delete(&path(&kept, "/labels/canary")).await.expect(404);
    client.put(&path(&kept, "/labels/canary"), &json!({"version": 9})).await.expect(404);
    client.delete(&path(&gone, "")).await.expect(204);
    let before = seen(client, &kept).await;
    retrace.settled().await;
    assert_eq!(retrace.erase().await, 1);
    retrace.rebuild_workspace().await;
    assert_eq!(seen(client, &kept).await, before);
    client.get(&path(&gone, "")).await.expect(404);
    create(client, "gone").await;
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retried_command_is_done_once() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let headers = [("idempotency-key", "k")];
    let send = async |method: Method, path: &str, body: &Value| {
        client.send(method, path, &headers, Some(body.to_string().into_bytes())).await
    };
    let body = json!({"name": "once", "content": "x"});
    let first = send(Method::POST, PROMPTS, &body).await.expect(201).json();
    assert_eq!(send(Method::POST, PROMPTS, &body).await.expect(201).json(), first);
    send(Method::POST, PROMPTS, &json!({"name": "other", "content": "x"})).await.expect(409);
    let versions = format!("{PROMPTS}/once/versions");
    for _ in 0..2 {
        let added = send(Method::POST, &versions, &json!({"content": "y"})).await.expect(201).json();
        assert_eq!(added["versions"][0]["version"], 2);
    }
    let label = format!("{PROMPTS}/once/labels/production");
    for _ in 0..2 {
        send(Method::PUT, &label, &json!({"version": 2, "from_version": 0})).await.expect(200);
    }
    assert_eq!(client.get(&format!("{PROMPTS}/once")).await.json()["latest_version"], 2);
    // A retry is answered as the first try was, though the name is gone.
    client.delete(&format!("{PROMPTS}/once")).await.expect(204);
    send(Method::POST, &versions, &json!({"content": "y"})).await.expect(201);
    retrace.assert_exact().await;
}
