//! API keys, bearer tokens and rate limits.

use serde_json::json;

use crate::harness::Retrace;

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_replaces_the_old_and_a_revoked_one_is_refused() {
    let retrace = Retrace::start().await;
    let user = retrace.key_of("acme", "ann").await;
    assert_eq!(user.get("/api/v1/api-keys").await.expect(200).json()["exists"], true);
    let created = user.post("/api/v1/api-keys", &json!({})).await.expect(201).json();
    let key = created["key"].as_str().unwrap();
    assert!(key.starts_with("rt_") && key.starts_with(created["prefix"].as_str().unwrap()));
    let renewed = user.with_key(key);
    assert_eq!(renewed.get("/api/v1/api-keys").await.expect(200).json()["prefix"], created["prefix"]);
    user.get("/api/v1/traces").await.expect(401);
    renewed.delete("/api/v1/api-keys").await.expect(204);
    assert_eq!(renewed.get("/api/v1/traces").await.expect(401).error(), "The API key is not known or was revoked");
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retried_key_creation_names_the_key_it_made() {
    let retrace = Retrace::start().await;
    let headers = [("idempotency-key", "k1")];
    let first = retrace.client.send(reqwest::Method::POST, "/api/v1/api-keys", &headers, None).await.expect(201).json();
    let client = retrace.client.with_key(first["key"].as_str().unwrap());
    let second = client.send(reqwest::Method::POST, "/api/v1/api-keys", &headers, None).await.expect(409);
    assert!(second.error().contains(first["prefix"].as_str().unwrap()), "{}", second.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_answers_as_the_first_time() {
    let retrace = Retrace::start().await;
    let headers = [("idempotency-key", "once")];
    let body = json!({"name": "generated id"}).to_string().into_bytes();
    let post = |body: Vec<u8>| retrace.client.send(reqwest::Method::POST, "/api/v1/traces", &headers, Some(body));
    let first = post(body.clone()).await.expect(201);
    let second = post(body).await.expect(201);
    assert_eq!((first.json(), first.position()), (second.json(), second.position()));
    post(b"{}".to_vec()).await.expect(409);
    retrace.settled().await;
    assert_eq!(retrace.client.get("/api/v1/traces").await.json()["total"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_say_when_to_come_back() {
    let retrace = Retrace::with(|settings| {
        // Slow enough that nothing is allowed anew while the requests are made, however busy the machine is.
        settings.rate_write_per_minute = 1;
        settings.rate_write_burst = 2;
    })
    .await;
    for _ in 0..2 {
        retrace.client.post("/api/v1/traces", &json!({})).await.expect(201);
    }
    let refused = retrace.client.post("/api/v1/traces", &json!({})).await.expect(429);
    let seconds: u64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert!(refused.error().contains("Rate limit"));
    retrace.client.get("/api/v1/traces").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_are_needed_and_checked() {
    let retrace = Retrace::start().await;
    for (key, header) in
        [("", None), ("rt_unknown", None), ("sk-other", None), ("", Some("Basic abc")), ("", Some("Bearer not.a.jwt"))]
    {
        let headers: Vec<(&str, &str)> = header.map(|value| ("authorization", value)).into_iter().collect();
        let client = retrace.client.with_key(key);
        let refused = client.send(reqwest::Method::GET, "/api/v1/traces", &headers, None).await.expect(401);
        assert!(!refused.error().is_empty());
    }
    let bearer = format!("Bearer {}", retrace.client.key);
    retrace
        .client
        .with_key("")
        .send(reqwest::Method::GET, "/api/v1/traces", &[("authorization", &bearer)], None)
        .await
        .expect(200);
}
