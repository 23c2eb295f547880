//! What a write cannot do as things are: every 412 and every 409 that the document has, and an Idempotency-Key that was
//! used for something else.

use reqwest::Method;
use runtime::http::routes::{Class, Route};
use serde_json::{Value, json};

use super::resources::{self, Resources, is_file, method, route};
use super::{HALT, PORTAL, buy, name, routes};
use crate::harness::dodo::Dodo;
use crate::harness::eventually;

/// Which do the same again when they are sent again, or nothing, so that no key is needed.
const REPEATABLE: [(&str, &str); 5] = [
    ("POST", HALT),
    ("POST", "/api/v1/tapes/preview"),
    ("PATCH", "/api/v1/traces/{id}"),
    ("POST", "/api/v1/traces/{id}/golden"),
    ("POST", "/api/v1/traces/{id}/feedback"),
];

fn refusing(status: u16) -> impl Iterator<Item = &'static Route> {
    routes().filter(move |route| route.answers.iter().any(|(of, ..)| *of == status))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_been_changed_or_asked_before_is_refused() {
    let dodo = Dodo::start().await;
    let retrace = resources::start(&dodo, |_| {}).await;
    let made = Resources::made(&retrace).await;
    a_stale_version_is_refused_wherever_one_can_be_named(&made).await;
    an_idempotency_key_is_of_one_body(&made).await;
    retrace.assert_exact().await;
}

async fn a_stale_version_is_refused_wherever_one_can_be_named(made: &Resources) {
    for route in refusing(412) {
        let answer = if route.path.ends_with("/labels/{label}") {
            made.client.put(&made.path(route), &json!({"version": 1, "from_version": 7})).await
        } else {
            made.ask(&made.client, route, &[("if-match", "\"7\"")]).await
        };
        assert_eq!(answer.status, 412, "{}: {}", name(route), answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_conflict_of_the_document_can_be_had() {
    let dodo = Dodo::start().await;
    // As many items and keys as there are already: one item, and the user's current key beside a named one.
    let retrace = resources::start(&dodo, |settings| {
        settings.max_dataset_items = 1;
        settings.api_keys_per_user = 1;
    })
    .await;
    let made = Resources::made(&retrace).await;
    let mut conflicting: Vec<&Route> = refusing(409).collect();
    // There is something to see in the portal once something is bought.
    conflicting.sort_by_key(|route| route.path != PORTAL);
    for route in conflicting {
        let answer = match conflict(&made, &dodo, route).await {
            Some((path, body)) => {
                made.client.send(method(route), &path, &[], Some(body.to_string().into_bytes())).await
            }
            None => made.ask(&made.client, route, &[]).await,
        };
        assert_eq!(answer.status, 409, "{}: {}", name(route), answer.text);
    }
    retrace.assert_exact().await;
}

/// Brings about what the route conflicts with: what to send and where to, if it is not what the route is meant for.
async fn conflict(made: &Resources, dodo: &Dodo, of: &Route) -> Option<(String, Value)> {
    let here = |body: Value| Some((made.path(of), body));
    match (of.method, of.path) {
        ("POST", "/api/v1/prompts" | "/api/v1/datasets" | "/api/v1/assignments") => {
            let body = made.example(of.body.unwrap()).await;
            made.client.post(of.path, &body).await.expect(201);
            here(body)
        }
        ("PATCH", "/api/v1/datasets/{id}") => {
            let other = made.ask(&made.client, route("POST", "/api/v1/datasets"), &[]).await.expect(201).json();
            here(json!({"name": other["name"]}))
        }
        ("PATCH", "/api/v1/datasets/{id}/items/{item_id}") => {
            let part = "x".repeat(200_000);
            made.client.patch(&made.path(of), &json!({"input": part, "expected_output": part})).await.expect(200);
            here(json!({"metadata": part}))
        }
        // Nothing is bought, and the trace has failed.
        ("POST", PORTAL | HALT) => None,
        ("POST", "/api/v1/tapes") => here(json!({"trace_id": made.id("traces"), "sha256": "0".repeat(64)})),
        // It is full.
        ("POST", "/api/v1/datasets/{id}/items" | "/api/v1/datasets/{id}/import" | "/api/v1/api-keys/all") => None,
        ("PATCH", "/api/v1/assignments/{id}") => {
            let own = made.client.get(&made.path(of)).await.expect(200).json();
            let theirs = json!({"trace_id": own["trace_id"], "assignee_id": "local"});
            made.client.post("/api/v1/assignments", &theirs).await.expect(201);
            here(json!({"assignee_id": "local"}))
        }
        ("PATCH", "/api/v1/api-keys/all/{id}") => {
            let keys = made.client.get("/api/v1/api-keys/all").await.expect(200).json();
            let current = keys["api_keys"].as_array().unwrap().iter().find(|key| key["is_current"] == true).unwrap();
            let path = format!("/api/v1/api-keys/all/{}", current["id"].as_str().unwrap());
            Some((path, made.example("NamedApiKeyPatch").await))
        }
        ("POST", "/api/v1/billing/checkout") => {
            made.ask(&made.client, of, &[]).await.expect(201);
            buy(dodo, &made.client).await;
            eventually("the subscription", async || made.ask(&made.client, of, &[]).await.status == 409).await;
            None
        }
        other => panic!("no conflict is known of {other:?}"),
    }
}

async fn an_idempotency_key_is_of_one_body(made: &Resources) {
    let writes = routes().filter(|route| route.class == Class::Write && route.body.is_some());
    for route in writes.filter(|route| !REPEATABLE.contains(&(route.method, route.path))) {
        let headers = [("idempotency-key", "once")];
        let first = made.ask(&made.client, route, &headers).await;
        assert!(first.status.is_success(), "{}: {}", name(route), first.text);
        let second = if route.body == Some("TapeLines") {
            let other = made.ask(&made.client, resources::route("POST", "/api/v1/tapes"), &[]).await.expect(201);
            let path = format!("/api/v1/tapes/{}/export", other.json()["slug"].as_str().unwrap());
            let file = made.client.get(&path).await.expect(200).text;
            let headers = [headers[0], ("content-type", "application/x-ndjson")];
            made.client.send(Method::POST, &made.path(route), &headers, Some(file.into_bytes())).await
        } else if is_file(route) {
            let headers = [headers[0], ("content-type", "application/x-ndjson")];
            made.client.send(Method::POST, &made.path(route), &headers, Some(b"{\"input\":2}".to_vec())).await
        } else {
            let mut other = made.example(route.body.unwrap()).await;
            other["another"] = json!(true);
            made.client.send(method(route), &made.path(route), &headers, Some(other.to_string().into_bytes())).await
        };
        assert_eq!(second.status, 409, "{}: {}", name(route), second.text);
        assert_eq!(second.error(), "This Idempotency-Key was used with another body", "{}", name(route));
    }
}
