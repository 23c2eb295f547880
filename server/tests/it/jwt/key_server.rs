//! What the provider's key server can do to this one: rotate, publish odd keys, fail, hang.

use std::time::{Duration, Instant};

use axum::http::{Method, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde_json::json;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::provider::{Bearer, INVALID, KEYS, Mood, Provider, TRACES, claims, trusting, unsigned};
use crate::harness::{Answer, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn random_key_ids_cause_one_fetch_an_interval() {
    const INTERVAL: u64 = 2;
    let provider = Provider::start().await;
    let retrace = trusting(&provider, INTERVAL).await;
    let ann = Bearer::new(&retrace, &KEYS[0].token("k1", &claims("ann", None)));
    ann.get(TRACES).await.expect(200);
    ann.post(TRACES, json!({})).await.expect(201);
    assert_eq!(provider.asked(), 2, "each service fetches once");
    // Reads and writes are two services, each with its own keys.
    for method in [Method::GET, Method::POST] {
        tokio::time::sleep(Duration::from_secs(INTERVAL) + Duration::from_millis(100)).await;
        let (before, started) = (provider.asked(), Instant::now());
        let mut requests = JoinSet::new();
        for _ in 0..50 {
            let token = KEYS[1].token(&Uuid::new_v4().to_string(), &claims("eve", None));
            let (eve, method) = (Bearer::new(&retrace, &token), method.clone());
            requests.spawn(async move {
                let body = (method == Method::POST).then(|| json!({}));
                eve.send(method, TRACES, None, body).await.expect(401);
            });
        }
        while let Some(answered) = requests.join_next().await {
            answered.unwrap();
        }
        let (status, body) = if method == Method::GET { (200, None) } else { (201, Some(json!({}))) };
        ann.send(method, TRACES, None, body).await.expect(status);
        let (fetches, whole) = (provider.asked() - before, started.elapsed().as_secs() / INTERVAL);
        assert!((1..=1 + whole as usize).contains(&fetches), "{fetches} fetches in {:?}", started.elapsed());
    }
}

/// Asks until the answer is the one; until then it is a 401 or a 503.
async fn becomes(status: u16, mut ask: impl AsyncFnMut() -> Answer) {
    let started = Instant::now();
    loop {
        let reply = ask().await;
        if reply.status.as_u16() == status {
            return;
        }
        assert!([401, 503].contains(&reply.status.as_u16()), "{} {}", reply.status, reply.json());
        assert!(
            started.elapsed() < Duration::from_secs(10),
            "still {} after {:?}: {}",
            reply.status,
            started.elapsed(),
            reply.json()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_of_keys_is_followed() {
    let provider = Provider::start().await;
    let retrace = trusting(&provider, 2).await;
    let ann = claims("ann", None);
    let old = Bearer::new(&retrace, &KEYS[0].token("k1", &ann));
    let new = Bearer::new(&retrace, &KEYS[1].token("k2", &ann));
    old.get(TRACES).await.expect(200);
    old.post(TRACES, json!({})).await.expect(201);
    provider.becomes(Mood::Publishes(vec![KEYS[0].jwk("k1"), KEYS[1].jwk("k2")]));
    // Both are valid while the provider shows both.
    becomes(200, async || new.get(TRACES).await).await;
    becomes(201, async || new.post(TRACES, json!({})).await).await;
    old.get(TRACES).await.expect(200);
    // The same id for another key, and a third one: what is published last is what counts.
    provider.becomes(Mood::Publishes(vec![KEYS[2].jwk("k2"), KEYS[2].jwk("k3")]));
    let newest = Bearer::new(&retrace, &KEYS[2].token("k3", &ann));
    becomes(200, async || newest.get(TRACES).await).await;
    becomes(201, async || newest.post(TRACES, json!({})).await).await;
    for withdrawn in [&old, &new] {
        assert_eq!(withdrawn.get(TRACES).await.expect(401).error(), INVALID);
        assert_eq!(withdrawn.post(TRACES, json!({})).await.expect(401).error(), INVALID);
    }
    Bearer::new(&retrace, &KEYS[2].token("k2", &ann)).get(TRACES).await.expect(200);
}

/// RFC 7517, section 5: keys of kinds that are not understood are to be ignored.
#[tokio::test(flavor = "multi_thread")]
async fn odd_keys_in_the_set_do_not_hide_the_sound_ones() {
    let provider = Provider::start().await;
    let secret = URL_SAFE_NO_PAD.encode("a secret that was published by mistake");
    let mut nameless = KEYS[1].jwk("");
    nameless.as_object_mut().unwrap().remove("kid");
    provider.becomes(Mood::Publishes(vec![
        json!({"kty": "AKP", "alg": "ML-DSA-65", "kid": "later", "pub": "AAAA"}),
        json!({"kty": "OKP", "crv": "X448", "kid": "curve", "x": "AAAA"}),
        json!({"kty": "EC", "crv": "P-256", "kid": "broken", "x": "!", "y": "!"}),
        json!({"kty": "RSA", "kid": "half", "n": "AQAB"}),
        json!({"kty": "oct", "alg": "HS256", "kid": "shared", "k": secret}),
        nameless,
        KEYS[0].jwk("k1"),
    ]));
    let retrace = trusting(&provider, 3600).await;
    let ann = claims("ann", None);
    Bearer::new(&retrace, &KEYS[0].token("k1", &ann)).get(TRACES).await.expect(200);
    let text = unsigned(&json!({"alg": "HS256", "kid": "shared"}), &ann);
    let by_secret = EncodingKey::from_secret(b"a secret that was published by mistake");
    let signature = crypto::sign(text.as_bytes(), &by_secret, Algorithm::HS256).unwrap();
    for token in [format!("{text}.{signature}"), KEYS[1].token("", &ann), KEYS[1].token("half", &ann)] {
        assert_eq!(Bearer::new(&retrace, &token).get(TRACES).await.expect(401).error(), INVALID);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn known_keys_go_on_while_the_key_server_is_down() {
    const INTERVAL: Duration = Duration::from_secs(1);
    let mut provider = Provider::start().await;
    let retrace = trusting(&provider, INTERVAL.as_secs()).await;
    let known = Bearer::new(&retrace, &KEYS[0].token("k1", &claims("ann", None)));
    let unknown = Bearer::new(&retrace, &KEYS[1].token("k2", &claims("bob", None)));
    known.get(TRACES).await.expect(200);
    known.post(TRACES, json!({})).await.expect(201);
    for trouble in ["fails", "answers with a page", "is down"] {
        match trouble {
            "fails" => provider.becomes(Mood::Answers(StatusCode::INTERNAL_SERVER_ERROR, "{\"keys\": []}")),
            "answers with a page" => provider.becomes(Mood::Answers(StatusCode::OK, "<html>maintenance</html>")),
            _ => provider.goes_down().await,
        }
        tokio::time::sleep(INTERVAL + Duration::from_millis(100)).await;
        for reply in [unknown.get(TRACES).await, unknown.post(TRACES, json!({})).await] {
            let reply = reply.expect(503);
            assert_eq!(reply.error(), "The identity provider's keys cannot be fetched", "{trouble}");
            assert_eq!(reply.headers["retry-after"], "1");
        }
        known.get(TRACES).await.expect(200);
        known.post(TRACES, json!({})).await.expect(201);
        retrace.client.get(TRACES).await.expect(200);
    }
    // One that starts now knows no key, and must not call a token bad that it cannot check.
    let started = trusting(&provider, INTERVAL.as_secs()).await;
    Bearer::new(&started, &KEYS[0].token("k1", &claims("ann", None))).get(TRACES).await.expect(503);
    started.client.get(TRACES).await.expect(200);
    provider.becomes(Mood::Publishes(vec![KEYS[0].jwk("k1"), KEYS[1].jwk("k2")]));
    provider.comes_back().await;
    becomes(200, async || unknown.get(TRACES).await).await;
    known.get(TRACES).await.expect(200);
    let never = Bearer::new(&retrace, &KEYS[1].token("k9", &claims("bob", None)));
    assert_eq!(never.get(TRACES).await.expect(401).error(), INVALID);
}

#[tokio::test(flavor = "multi_thread")]
async fn known_keys_do_not_wait_for_a_key_server_that_hangs() {
    let provider = Provider::start().await;
    let retrace = trusting(&provider, 1).await;
    let known = Bearer::new(&retrace, &KEYS[0].token("k1", &claims("ann", None)));
    known.get(TRACES).await.expect(200);
    provider.becomes(Mood::Hangs);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let asked = provider.asked();
    let unknown = Bearer::new(&retrace, &KEYS[1].token("k2", &claims("eve", None)));
    let waiting = tokio::spawn(async move { unknown.get(TRACES).await.status });
    eventually("the fetch", async || provider.asked() > asked).await;
    let started = Instant::now();
    known.get(TRACES).await.expect(200);
    assert!(started.elapsed() < Duration::from_secs(1), "a known key waited {:?}", started.elapsed());
    assert_eq!(waiting.await.unwrap(), 503);
}
