//! Files: what an export writes, an import reads back equal; a file comes as a whole or not at all.

use reqwest::Method;
use serde_json::{Value, json};

use super::{dataset, item};
use crate::harness::{Answer, Client, Retrace};

pub const JSON: &str = "application/x-ndjson";
const CSV: &str = "text/csv; charset=utf-8";

pub async fn import(client: &Client, dataset: &str, content_type: &str, body: &str) -> Answer {
    send(client, dataset, &[("content-type", content_type)], body).await
}

async fn send(client: &Client, dataset: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    // The harness's client would add a type of its own.
    let mut request = reqwest::Client::new()
        .request(Method::POST, format!("{}{dataset}/import", client.base))
        .header("x-retrace-key", &client.key)
        .body(body.to_owned());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    Answer { status, headers, text: response.text().await.unwrap() }
}

async fn export(client: &Client, dataset: &str, query: &str) -> String {
    let file = client.download(&format!("{dataset}/export?{query}")).await;
    String::from_utf8(file.body).unwrap()
}

/// What the items say, without their ids.
async fn said(client: &Client, dataset: &str) -> Vec<Value> {
    let list = client.get(&format!("{dataset}/items?limit=200")).await.expect(200).json();
    let parts = |item: &Value| {
        let names = ["position", "input", "expected_output", "metadata", "source", "content_hash"];
        names.map(|name| item[name].clone()).into_iter().collect()
    };
    list["items"].as_array().unwrap().iter().map(parts).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_export_writes_an_import_reads_back() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let path = dataset(client, "first").await;
    let trace = json!({"id": "0b6c2f6e-8a0e-4a53-9d0e-3f6a5f1f7a01", "name": "=SUM(A1)", "output": "-1", "status": "completed"});
    client.post("/api/v1/traces", &trace).await.expect(201);
    let gone = item(client, &path, &json!({"input": "gone"})).await;
    item(client, &path, &json!({"trace_id": trace["id"]})).await;
    for body in [
        r#"{"input": "=1+1, \"quoted\"\nand more", "expected_output": -5, "metadata": ["@x", "é"]}"#,
        "{\"input\": {\"a\":\n  1.50,\n \"b\": [\"\\u0000\", 1e30]}, \"expected_output\": \"\"}",
        r#"{"input": true, "metadata": "'quoted"}"#,
        r#"{"input": 1000000000000000000000000000000, "expected_output": {}}"#,
    ] {
        client.post_text(&format!("{path}/items"), body).await.expect(201);
    }
    client.delete(&format!("{gone}?erase=true")).await.expect(204);
    let mut told = said(client, &path).await;
    // Positions are the dataset's own.
    for (place, item) in (1..).zip(&mut told) {
        item[0] = json!(place);
    }
    for (format, content_type) in [("jsonl", JSON), ("csv", CSV)] {
        let file = client.download(&format!("{path}/export?format={format}")).await;
        let disposition = file.headers["content-disposition"].to_str().unwrap().to_owned();
        assert!(disposition.contains("-v8-") && disposition.contains(&format!(".{format}")), "{disposition}");
        let text = String::from_utf8(file.body).unwrap();
        assert!(!text.contains("gone"), "{text}");
        let copy = dataset(client, &format!("copy {format}")).await;
        let imported = import(client, &copy, content_type, &text).await.expect(201);
        assert_eq!(imported.headers["etag"], "\"2\"");
        let imported = imported.json();
        assert_eq!((&imported["version"], &imported["item_count"]), (&json!(2), &json!(5)));
        assert_eq!(said(client, &copy).await, told, "{text}");
        // Numbers that no machine holds are kept by their digits.
        let again = export(client, &copy, &format!("format={format}")).await;
        assert_eq!(without_ids(&again), without_ids(&text));
    }
    let older = export(client, &path, "version=2&format=csv").await;
    assert_eq!(older, "id,input,expected_output,metadata,source\r\n", "what was erased is in no file");
    retrace.assert_exact().await;
}

/// The words of a file that are no ids: each dataset gives its own.
fn without_ids(text: &str) -> Vec<&str> {
    text.split(['"', ',', '\n']).filter(|word| uuid::Uuid::try_parse(word).is_err()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_with_faults_leaves_nothing() {
    let retrace = Retrace::with(|settings| settings.max_dataset_items = 3).await;
    let client = &retrace.client;
    let path = dataset(client, "a").await;
    for (content_type, body, faults) in [
        (JSON, "", "the body has no items"),
        (JSON, "{\"input\":1}\n{}\n[]", "line 2: input is missing; line 3 is not a JSON object"),
        (CSV, "input\n1\n{x", "line 3: input begins like JSON, but is none"),
        (CSV, "text\nx", "line 1: the column `text` is none of id, input, expected_output, metadata, source"),
        (
            JSON,
            "{\"input\":1,\"source\":{\"trace_id\":\"x\"}}",
            "line 1: source.trace_id is neither a UUID nor a 32-hex OpenTelemetry trace id",
        ),
    ] {
        assert_eq!(import(client, &path, content_type, body).await.expect(400).error(), faults);
    }
    let many = import(client, &path, JSON, &"{}\n".repeat(30)).await.expect(400).error();
    assert!(many.starts_with("line 1: input is missing; line 2:") && many.ends_with("; and 10 more"), "{many}");
    for content_type in ["application/json", "text/plain"] {
        import(client, &path, content_type, "{\"input\":1}").await.expect(415);
    }
    send(client, &path, &[], "{\"input\":1}").await.expect(415);
    let full = import(client, &path, JSON, &"{\"input\":1}\n".repeat(4)).await.expect(409).error();
    assert_eq!(full, "A dataset has at most 3 items");
    assert_eq!(client.get(&path).await.expect(200).json()["version"], 1);
    import(client, &path, JSON, &"{\"input\":1}\n".repeat(3)).await.expect(201);
    // What did not come to be is erased.
    retrace.settled().await;
    assert_eq!(retrace.erase().await, 4);
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_is_one_version_however_often_it_is_sent() {
    let retrace = Retrace::start().await;
    let client = &retrace.client;
    let path = dataset(client, "large").await;
    let long = "x".repeat(800);
    let body: String = (0..4_000).map(|n| format!("{{\"input\":\"{n} {long}\"}}\n")).collect();
    let headers = [("content-type", JSON), ("idempotency-key", "once")];
    let first = send(client, &path, &headers, &body).await.expect(201);
    assert_eq!((&first.json()["version"], &first.json()["item_count"]), (&json!(2), &json!(4_000)));
    assert_eq!(send(client, &path, &headers, &body).await.expect(201).json(), first.json());
    let page = client.get(&format!("{path}/items?limit=200")).await.expect(200).json();
    assert_eq!((&page["total"], &page["version"]), (&json!(4_000), &json!(2)));
    assert_eq!(page["items"][199]["position"], 200);
    let file = export(client, &path, "").await;
    for (n, line) in file.lines().enumerate() {
        assert!(line.contains(&format!("\"input\":\"{n} xx")), "line {n}");
    }
    assert_eq!(file.lines().count(), 4_000);
    // Pages of long items end earlier.
    let huge = "y".repeat(250_000);
    let body: String = (0..40).map(|_| format!("{{\"input\":\"{huge}\"}}\n")).collect();
    let other = dataset(client, "huge").await;
    import(client, &other, JSON, &body).await.expect(201);
    let page = client.get(&format!("{other}/items?limit=200")).await.expect(200).json();
    let count = page["items"].as_array().unwrap().len();
    assert!((10..30).contains(&count) && page["next_cursor"].is_string(), "{count} items");
    assert_eq!(export(client, &other, "").await.lines().count(), 40);
    retrace.assert_exact().await;
    retrace.rebuild_workspace().await;
    assert_eq!(export(client, &path, "").await, file);
    retrace.assert_exact().await;
}
