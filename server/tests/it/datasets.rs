//! Datasets: sets that an experiment finds again exactly as they were, files in and out, items that outlive their traces.

mod files;

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Answer, Client, Retrace};

const UNKNOWN: &str = "9debeeaf-b46e-44fd-8a0a-7efe35a59df9";
const START: &str = "2026-11-20T10:00:00Z";

/// The path of a new dataset.
async fn dataset(client: &Client, name: &str) -> String {
    let made = client.post("/api/v1/datasets", &json!({"name": name})).await.expect(201).json();
    format!("/api/v1/datasets/{}", made["id"].as_str().unwrap())
}

/// The path of a new item.
async fn item(client: &Client, dataset: &str, body: &Value) -> String {
    let made = client.post(&format!("{dataset}/items"), body).await.expect(201).json();
    format!("{dataset}/items/{}", made["id"].as_str().unwrap())
}

async fn send(client: &Client, method: Method, path: &str, if_match: &str, body: &Value) -> Answer {
    client.send(method, path, &[("if-match", if_match)], Some(body.to_string().into_bytes())).await
}

fn inputs(list: &Value) -> Vec<Value> {
    list["items"].as_array().unwrap().iter().map(|item| item["input"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_shows_the_set_as_it_was() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let created = client.post("/api/v1/datasets", &json!({"name": "sums", "description": "small"})).await.expect(201);
    let made = created.json();
    assert_eq!((&made["version"], &made["item_count"], &made["items"]), (&json!(1), &json!(0), &json!([])));
    assert_eq!(created.headers["etag"], "\"1\"");
    let path = format!("/api/v1/datasets/{}", made["id"].as_str().unwrap());
    let items = format!("{path}/items");
    let text = r#"{"input": {"a":  1.50}, "expected_output": null, "metadata": {"k": 1}}"#;
    let first = client.post_text(&items, text).await.expect(201);
    assert!(first.text.contains(r#""input":{"a":  1.50}"#), "kept as it is sent: {}", first.text);
    assert_eq!(first.headers["etag"], "\"2\"");
    let first = first.json();
    assert_eq!((&first["position"], &first["version"], &first["source"]), (&json!(1), &json!(2), &Value::Null));
    let one = format!("{items}/{}", first["id"].as_str().unwrap());
    let two = item(client, &path, &json!({"input": 2})).await;
    let same = client.post(&items, &json!({"metadata": {"k": 1}, "input": {"a": 1}})).await.expect(201).json();
    let alike = client.post_text(&items, r#"{"input": {"a":1}, "metadata":{ "k":1 }}"#).await.expect(201).json();
    assert_eq!(same["content_hash"], alike["content_hash"], "an item may be there twice");

    let changed = send(client, Method::PATCH, &one, "\"2\"", &json!({"input": 1, "metadata": null})).await.expect(200);
    assert_eq!(changed.headers["etag"], "\"6\"");
    let changed = changed.json();
    assert_eq!((&changed["input"], &changed["metadata"], &changed["position"]), (&json!(1), &Value::Null, &json!(1)));
    let stale = send(client, Method::PATCH, &one, "\"2\"", &json!({"input": 0})).await.expect(412);
    assert_eq!(stale.error(), "The item is at version 6, not at 2 as If-Match says");
    send(client, Method::DELETE, &two, "\"1\"", &json!({})).await.expect(412);
    send(client, Method::DELETE, &two, "\"3\"", &json!({})).await.expect(204);
    client.get(&two).await.expect(404);
    client.patch(&two, &json!({"input": 0})).await.expect(404);
    client.delete(&two).await.expect(404);
    assert_eq!(client.get(&format!("{two}?version=6")).await.expect(200).json()["input"], 2);

    let at = async |version: u32| inputs(&client.get(&format!("{items}?version={version}")).await.expect(200).json());
    let before = json!({"a": 1.50});
    assert_eq!(at(1).await, Vec::<Value>::new());
    assert_eq!(at(3).await, [before.clone(), json!(2)]);
    assert_eq!(at(5).await, [before.clone(), json!(2), json!({"a": 1}), json!({"a": 1})]);
    assert_eq!(at(7).await, [json!(1), json!({"a": 1}), json!({"a": 1})]);
    client.get(&format!("{items}?version=8")).await.expect(404);
    let now = client.get(&path).await.expect(200);
    assert_eq!(now.headers["etag"], "\"7\"");
    assert_eq!((inputs(&now.json()), &now.json()["item_count"]), (at(7).await, &json!(3)));
    let then = client.get(&format!("{path}?version=3&limit=1")).await.expect(200).json();
    assert_eq!((&then["version"], &then["latest_version"], &then["item_count"]), (&json!(3), &json!(7), &json!(2)));
    let cursor = then["items_cursor"].as_str().unwrap();
    let rest = client.get(&format!("{items}?cursor={cursor}")).await.expect(200).json();
    assert_eq!((inputs(&rest), &rest["version"]), (vec![json!(2)], &json!(3)));
    client.get(&format!("{items}?cursor={cursor}&version=7")).await.expect(400);

    let versions = client.get(&format!("{path}/versions?limit=3")).await.expect(200).json();
    let changes: Vec<&Value> = versions["versions"].as_array().unwrap().iter().map(|v| &v["change"]).collect();
    assert_eq!(changes, ["item deleted", "item changed", "item added"]);
    assert_eq!(versions["total"], 7);
    let renamed = send(client, Method::PATCH, &path, "\"7\"", &json!({"name": "all"})).await.expect(200).json();
    assert_eq!(
        (&renamed["name"], &renamed["description"], &renamed["version"]),
        (&json!("all"), &json!("small"), &json!(8))
    );
    send(client, Method::PATCH, &path, "\"7\"", &json!({"name": "x"})).await.expect(412);
    send(client, Method::DELETE, &path, "\"7\"", &json!({})).await.expect(412);
    let listed = client.get("/api/v1/datasets?name=all").await.expect(200).json();
    assert_eq!((&listed["total"], &listed["datasets"][0]["item_count"]), (&json!(1), &json!(3)));
    retrace.assert_exact().await;

    let reads = [path.clone(), format!("{items}?version=3"), format!("{items}?version=5"), format!("{path}/versions")];
    let mut before = Vec::new();
    for read in &reads {
        before.push(client.get(read).await.expect(200).text);
    }
    retrace.rebuild_workspace().await;
    for (read, before) in reads.iter().zip(&before) {
        assert_eq!(client.get(read).await.expect(200).text, *before, "{read}");
    }
    retrace.assert_exact().await;
    send(client, Method::DELETE, &path, "*", &json!({})).await.expect(204);
    for gone in [&path, &items, &one, &format!("{path}/versions"), &format!("{path}/export")] {
        client.get(gone).await.expect(404);
    }
    client.post("/api/v1/datasets", &json!({"name": "all"})).await.expect(201);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_of_a_trace_outlives_it() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let (trace, span) = (Uuid::new_v4().to_string(), "00f067aa0ba902b7");
    let body = json!({
        "id": trace, "name": "run", "input": {"q": 1}, "output": "yes", "metadata": {"m": 1}, "status": "completed",
        "spans": [{"id": span, "span_type": "llm_call", "name": "chat", "model": "gpt-4o-mini", "input": ["x"],
                   "output": null, "started_at": START}]
    });
    client.post("/api/v1/traces", &body).await.expect(201);
    let path = dataset(client, "of traces").await;
    let items = format!("{path}/items");
    let whole = client.post(&items, &json!({"trace_id": trace.to_uppercase()})).await.expect(201).json();
    assert_eq!(
        (&whole["input"], &whole["expected_output"], &whole["metadata"]),
        (&json!({"q": 1}), &json!("yes"), &json!({"m": 1}))
    );
    let source = &whole["source"];
    assert_eq!(
        (&source["trace_id"], &source["span_id"], &source["name"], &source["models"]),
        (&json!(trace), &Value::Null, &json!("run"), &json!(["gpt-4o-mini"]))
    );
    let better = json!({"trace_id": trace, "expected_output": "no", "metadata": "mine"});
    let better = client.post(&items, &better).await.expect(201).json();
    assert_eq!((&better["expected_output"], &better["metadata"]), (&json!("no"), &json!("mine")));
    assert_eq!(better["source"]["output"], "yes");
    let of_span = client.post(&items, &json!({"trace_id": trace, "span_id": span})).await.expect(201).json();
    assert_eq!((&of_span["input"], &of_span["expected_output"]), (&json!(["x"]), &Value::Null));
    assert_eq!((&of_span["source"]["span_type"], &of_span["source"]["span_id"]), (&json!("llm_call"), &json!(span)));
    let one = client.get(&format!("/api/v1/traces/{trace}/spans/{span}")).await.expect(200).json();
    assert_eq!((&one["name"], &one["trace_id"]), (&json!("chat"), &json!(trace)));
    let alone = client.get(&format!("/api/v1/traces/{trace}?spans=false")).await.expect(200).json();
    assert_eq!((&alone["output"], &alone["spans"]), (&json!("yes"), &Value::Null));

    let absent = client.post(&items, &json!({"trace_id": trace, "span_id": "00f067aa0ba902b8"})).await.expect(404);
    assert_eq!(absent.error(), "Span not found");
    assert_eq!(client.post(&items, &json!({"trace_id": UNKNOWN})).await.expect(404).error(), "Trace not found");
    let other = retrace.key_of("other", "eve").await;
    let theirs = dataset(&other, "theirs").await;
    other.post(&format!("{theirs}/items"), &json!({"trace_id": trace})).await.expect(404);
    let long = Uuid::new_v4().to_string();
    client.post("/api/v1/traces", &json!({"id": long, "input": "x".repeat(262_143)})).await.expect(201);
    let refused = client.post(&items, &json!({"trace_id": long})).await.expect(400).error();
    assert_eq!(refused, "the trace's input is longer than 262144 bytes");

    let gone = client.delete(&format!("/api/v1/traces/{trace}")).await.expect(204).position();
    let body = json!({"trace_id": trace}).to_string().into_bytes();
    client.send(Method::POST, &items, &[("x-retrace-after", &gone)], Some(body)).await.expect(404);
    retrace.settled().await;
    assert!(retrace.erase().await > 0);
    retrace.rebuild_workspace().await;
    let kept = client.get(&items).await.expect(200).json();
    assert_eq!(kept["items"], json!([whole, better, of_span]));
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_is_named_and_nothing_is_found_by_others() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let path = dataset(client, "a").await;
    let items = format!("{path}/items");
    let one = item(client, &path, &json!({"input": 1})).await;
    for (body, faults) in [
        (json!({}), "name is missing"),
        (json!({"name": " ", "description": 5}), "name is empty; description is not text"),
        (json!({"name": "a\u{0}"}), "name contains NUL"),
        (json!({"name": "x".repeat(257)}), "name is longer than 256 characters"),
    ] {
        assert_eq!(client.post("/api/v1/datasets", &body).await.expect(400).error(), faults);
    }
    assert_eq!(client.patch(&path, &json!({})).await.expect(400).error(), "the body changes none of name, description");
    let taken = client.post("/api/v1/datasets", &json!({"name": "a"})).await.expect(409).error();
    assert_eq!(taken, "A dataset of this name exists");
    let other_path = dataset(client, "b").await;
    assert_eq!(client.patch(&other_path, &json!({"name": "a"})).await.expect(409).error(), taken);
    client.patch(&path, &json!({"name": "a"})).await.expect(200);
    for (body, faults) in [
        (json!({}), "input is missing, and so is trace_id"),
        (
            json!({"trace_id": "x", "span_id": "y"}),
            "trace_id is neither a UUID nor a 32-hex OpenTelemetry trace id; \
             span_id is neither a UUID nor a 16-hex OpenTelemetry span id",
        ),
        (json!({"input": "x".repeat(262_143)}), "input is longer than 262144 bytes"),
    ] {
        assert_eq!(client.post(&items, &body).await.expect(400).error(), faults);
    }
    assert_eq!(client.patch(&one, &json!({"input": null})).await.expect(400).error(), "input is null");
    for query in ["erase=yes", "erase=true&erase=true", "colour=red"] {
        client.delete(&format!("{one}?{query}")).await.expect(400);
    }
    // What stays counts too.
    let half = json!({"input": "x".repeat(262_142), "expected_output": "x".repeat(262_142)});
    let whole = item(client, &path, &half).await;
    let long = client.patch(&whole, &json!({"metadata": 1})).await.expect(409).error();
    assert_eq!(long, "An item has at most 524288 bytes");
    for query in ["limit=201", "version=0", "cursor=AAAA", "offset=1"] {
        client.get(&format!("{items}?{query}")).await.expect(400);
        client.get(&format!("{path}?{query}")).await.expect(400);
    }
    client.get(&format!("{path}/export?format=xml")).await.expect(400);
    send(client, Method::PATCH, &one, "one", &json!({"input": 2})).await.expect(412);

    let eve = &retrace.key_of("other", "eve").await;
    for (client, path) in [
        (client, format!("/api/v1/datasets/{UNKNOWN}")),
        (client, "/api/v1/datasets/x".to_owned()),
        (eve, path.clone()),
    ] {
        let item = format!("{path}/items/{UNKNOWN}");
        for read in [&path, &format!("{path}/items"), &item, &format!("{path}/versions"), &format!("{path}/export")] {
            client.get(read).await.expect(404);
        }
        client.patch(&path, &json!({"name": "stolen"})).await.expect(404);
        client.post(&format!("{path}/items"), &json!({"input": 1})).await.expect(404);
        client.patch(&item, &json!({"input": 1})).await.expect(404);
        client.delete(&item).await.expect(404);
        client.delete(&path).await.expect(404);
        files::import(client, &path, files::JSON, "{\"input\":1}").await.expect(404);
    }
    eve.get(&one).await.expect(404);
    eve.delete(&format!("{one}?erase=true")).await.expect(404);
    assert_eq!(eve.get("/api/v1/datasets").await.expect(200).json()["total"], 0);
    assert_eq!(client.get(&one).await.expect(200).json()["input"], 1);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_writers_lose_nothing() {
    let retrace = Retrace::with(|settings| settings.max_dataset_items = 50).await;
    let client = &retrace.client;
    let path = dataset(client, "shared").await;
    let adds = (0..50).map(|n| {
        let (client, items) = (client.clone(), format!("{path}/items"));
        async move { (n, client.post(&items, &json!({"input": n})).await.expect(201).json()) }
    });
    let mut added = join_all(adds).await;
    added.sort_by_key(|(_, item)| item["position"].as_i64());
    let places: Vec<(i64, i64)> =
        added.iter().map(|(_, item)| (item["position"].as_i64().unwrap(), item["version"].as_i64().unwrap())).collect();
    assert_eq!(places, (1..=50).map(|n| (n, n + 1)).collect::<Vec<_>>());
    for (n, item) in &added {
        assert_eq!(item["input"], *n, "every writer is shown its own item");
    }
    let full = client.post(&format!("{path}/items"), &json!({"input": 1})).await.expect(409).error();
    assert_eq!(full, "A dataset has at most 50 items");
    let item = format!("{path}/items/{}", added[7].1["id"].as_str().unwrap());
    let tag = format!("\"{}\"", added[7].1["version"]);
    let races = (0..50).map(|n| {
        let (client, item, tag) = (client.clone(), item.clone(), tag.clone());
        async move {
            send(&client, Method::PATCH, &item, &tag, &json!({"input": format!("winner {n}")})).await.status.as_u16()
        }
    });
    let mut statuses = join_all(races).await;
    statuses.sort_unstable();
    assert_eq!((statuses[0], &statuses[1..]), (200, &[412; 49][..]));
    // Pages of the first cursor go on in its version, whatever comes between.
    let (mut seen, mut query) = (Vec::new(), "limit=7".to_owned());
    loop {
        let page = client.get(&format!("{path}/items?{query}")).await.expect(200).json();
        assert_eq!((&page["version"], &page["total"]), (&json!(52), &json!(50)));
        seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["position"].as_i64().unwrap()));
        let last = format!("{path}/items/{}", page["items"][0]["id"].as_str().unwrap());
        client.delete(&last).await.expect(204);
        match page["next_cursor"].as_str() {
            Some(next) => query = format!("limit=7&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, (1..=50).collect::<Vec<i64>>());
    assert_eq!(client.get(&path).await.expect(200).json()["item_count"], 42);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retried_write_is_one_write() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let once = |method: Method, path: &str, key: &'static str, body: Value| {
        let (client, path) = (client.clone(), path.to_owned());
        async move { client.send(method, &path, &[("idempotency-key", key)], Some(body.to_string().into_bytes())).await }
    };
    let first = once(Method::POST, "/api/v1/datasets", "a", json!({"name": "one"})).await.expect(201).json();
    assert_eq!(once(Method::POST, "/api/v1/datasets", "a", json!({"name": "one"})).await.expect(201).json(), first);
    let path = format!("/api/v1/datasets/{}", first["id"].as_str().unwrap());
    let items = format!("{path}/items");
    let added = once(Method::POST, &items, "b", json!({"input": 1})).await.expect(201).json();
    assert_eq!(once(Method::POST, &items, "b", json!({"input": 1})).await.expect(201).json(), added);
    let item = format!("{items}/{}", added["id"].as_str().unwrap());
    for _ in 0..2 {
        once(Method::PATCH, &item, "c", json!({"input": 2})).await.expect(200);
        once(Method::PATCH, &path, "d", json!({"description": "x"})).await.expect(200);
    }
    for _ in 0..2 {
        once(Method::DELETE, &item, "e", json!({})).await.expect(204);
    }
    assert_eq!(client.get(&path).await.expect(200).json()["version"], 5);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_erased_is_gone_from_every_version() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let (kept, gone) = (dataset(client, "kept").await, dataset(client, "gone").await);
    let mut items = Vec::new();
    for n in 0..3 {
        items.push(item(client, &kept, &json!({"input": format!("secret {n}")})).await);
        item(client, &gone, &json!({"input": n})).await;
    }
    client.patch(&items[0], &json!({"input": "another secret"})).await.expect(200);
    client.delete(&format!("{}?erase=true", items[0])).await.expect(204);
    client.delete(&items[1]).await.expect(204);
    client.delete(&gone).await.expect(204);
    // Late content of what is not there is erased too.
    client.patch(&items[0], &json!({"input": "late"})).await.expect(404);
    let then = client.get(&format!("{kept}/items?version=4")).await.expect(200).json();
    assert_eq!(inputs(&then), [Value::Null, json!("secret 1"), json!("secret 2")]);
    assert_eq!((&then["items"][0]["erased"], &then["total"]), (&json!(true), &json!(3)));
    assert_eq!(then["items"][0]["content_hash"], Value::Null);
    let owner = |path: &str| path.replace("/api/v1/", "");
    retrace.settled().await;
    assert!(retrace.sealed_under().await.contains(&owner(&items[0])));
    assert!(retrace.erase().await >= 2);
    assert_eq!(retrace.erase().await, 0, "nothing is left to erase");
    let keys = retrace.sealed_under().await;
    assert!(!keys.contains(&owner(&items[0])) && !keys.iter().any(|key| key.starts_with(&owner(&gone))), "{keys:?}");
    for there in [&kept, &items[1], &items[2]] {
        assert!(keys.contains(&owner(there)), "{there} of {keys:?}");
    }
    retrace.assert_exact().await;
    retrace.rebuild_workspace().await;
    assert_eq!(client.get(&format!("{kept}/items?version=4")).await.expect(200).json(), then);
    // One that is deleted already can still be erased.
    let before = client.get(&kept).await.expect(200).json()["version"].clone();
    client.delete(&format!("{}?erase=true", items[1])).await.expect(204);
    assert_eq!(client.get(&kept).await.expect(200).json()["version"], before);
    assert_eq!(client.get(&format!("{}?version=4", items[1])).await.expect(200).json()["erased"], true);
    client.delete(&format!("{}?erase=true", items[1])).await.expect(404);
    retrace.assert_exact().await;
}
