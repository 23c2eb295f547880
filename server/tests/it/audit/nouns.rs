//! What the writes of keys, datasets and collaboration say, and that to be seen is none.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{export, one, types, write};
use crate::harness::Retrace;

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_datasets_and_discussions_say_what_was_done() {
    let retrace = Retrace::start().await;
    let (boss, ann) = (retrace.key_as("acme", "boss", "admin").await, retrace.key_of("acme", "ann").await);
    let named = json!({"name": "secret", "scopes": ["ingest", "read"]});
    let key = write(&ann, Method::POST, "/api/v1/api-keys/all", "k1", named).await.expect(201).json();
    let key_path = format!("/api/v1/api-keys/all/{}", text(&key["id"]));
    ann.with_key(text(&key["key"])).get("/api/v1/traces").await.expect(200);
    write(&ann, Method::PATCH, &key_path, "k2", json!({"scopes": ["read"]})).await.expect(200);
    write(&boss, Method::DELETE, &key_path, "k3", json!({})).await.expect(204);

    let set = write(&ann, Method::POST, "/api/v1/datasets", "d1", json!({"name": "secret"})).await.expect(201).json();
    let set_path = format!("/api/v1/datasets/{}", text(&set["id"]));
    write(&ann, Method::POST, "/api/v1/datasets", "refused", json!({"name": "secret"})).await.expect(409);
    let items = format!("{set_path}/items");
    let item = write(&ann, Method::POST, &items, "d2", json!({"input": "secret"})).await.expect(201).json();
    let item_path = format!("{items}/{}", text(&item["id"]));
    write(&ann, Method::DELETE, &item_path, "d3", json!({})).await.expect(204);

    let trace = Uuid::new_v4().to_string();
    write(&ann, Method::POST, "/api/v1/traces", "t1", json!({"id": trace, "name": "secret"})).await.expect(201);
    let said = json!({"trace_id": trace, "body": "a secret, @boss"});
    let comment = write(&ann, Method::POST, "/api/v1/comments", "c1", said).await.expect(201).json();
    let task = json!({"trace_id": trace, "assignee_id": "boss", "note": "secret"});
    let task = write(&ann, Method::POST, "/api/v1/assignments", "c2", task).await.expect(201).json();
    let task_path = format!("/api/v1/assignments/{}", text(&task["id"]));
    write(&boss, Method::PATCH, &task_path, "c3", json!({"status": "resolved"})).await.expect(200);
    write(&boss, Method::PATCH, "/api/v1/notifications/read", "c4", json!({})).await.expect(200);
    let comment_path = format!("/api/v1/comments/{}", text(&comment["id"]));
    write(&boss, Method::DELETE, &comment_path, "c5", json!({})).await.expect(204);
    retrace.settled().await;

    let all = export(&boss, "").await;
    let kinds = types(&all);
    assert!(!kinds.contains(&"api_key.used") && !kinds.contains(&"member.seen"), "{kinds:?}");
    assert!(!all.iter().any(|entry| entry["request_id"] == "refused"), "{all:?}");
    assert!(!json!(all).to_string().contains("secret"));
    let (key_id, item_id) = (&key["id"], &item["id"]);
    for (request, kind, user, before, after) in [
        (
            "k1",
            "api_key.issued",
            "ann",
            Value::Null,
            json!({
                "key_id": key_id, "prefix": key["prefix"], "role": "member", "scopes": ["ingest", "read"], "user": "ann", "version": 1
            }),
        ),
        (
            "k2",
            "api_key.changed",
            "ann",
            json!({"version": 1}),
            json!({"key_id": key_id, "scopes": ["read"], "user": "ann", "version": 2}),
        ),
        ("k3", "api_key.withdrawn", "boss", Value::Null, json!({"key_id": key_id, "user": "ann"})),
        ("d1", "dataset.created", "ann", Value::Null, json!({"version": 1})),
        ("d2", "dataset.item_added", "ann", json!({"version": 1}), json!({"item_id": item_id, "version": 2})),
        ("c1", "comment.created", "ann", Value::Null, json!({"mentions": ["boss"], "trace_id": trace, "version": 1})),
        (
            "c2",
            "assignment.created",
            "ann",
            Value::Null,
            json!({"assignee_id": "boss", "trace_id": trace, "version": 1}),
        ),
        ("c3", "assignment.changed", "boss", json!({"version": 1}), json!({"status": "resolved", "version": 2})),
        ("c4", "notifications.read", "boss", Value::Null, json!({})),
        ("c5", "comment.deleted", "boss", Value::Null, json!({"moderates": true})),
    ] {
        let entry = one(&all, request);
        assert_eq!(types(std::slice::from_ref(entry)), [kind]);
        let found = (&entry["user_id"], &entry["before"], &entry["after"]);
        assert_eq!(found, (&json!(user), &before, &after), "{request}");
    }
    let removed = one(&all, "d3");
    assert_eq!((&removed["after"]["item_id"], &removed["after"]["erases"]), (item_id, &json!(false)));
    retrace.assert_exact().await;
}
