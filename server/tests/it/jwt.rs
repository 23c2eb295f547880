//! Bearer tokens of an identity provider that runs in the test: who they speak for, and which are refused.

mod key_server;
mod members;
pub mod provider;

use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use rsa::pkcs8::{EncodePublicKey, LineEnding};
use rsa::traits::PublicKeyParts;
use runtime::http::routes::{Needs, routes};
use serde_json::{Value, json};
use uuid::Uuid;

use self::provider::{AUDIENCE, Bearer, INVALID, KEYS, Provider, TRACES, claims, now, trusting, unsigned, with};
use crate::harness::Retrace;
use crate::live::socket::Socket;

#[tokio::test(flavor = "multi_thread")]
async fn a_token_speaks_for_its_organisation_and_without_one_for_its_user() {
    let provider = Provider::start().await;
    let retrace = trusting(&provider, 3600).await;
    let bearer = |user, organisation| Bearer::new(&retrace, &KEYS[0].token("k1", &claims(user, organisation)));
    let (ann, bob, carl) = (bearer("ann", Some("acme")), bearer("bob", Some("acme")), bearer("carl", None));
    let id = ann.post(TRACES, json!({"name": "of acme"})).await.expect(201).json()["id"].as_str().unwrap().to_owned();
    let path = format!("{TRACES}/{id}");
    assert_eq!(bob.get(&path).await.expect(200).json()["name"], "of acme");
    carl.get(&path).await.expect(404);
    let own = carl.post(TRACES, json!({"name": "of carl"})).await.expect(201);
    // An empty organisation is none; a user of the same name in one is somebody else.
    assert_eq!(
        bearer("carl", Some("")).get_after(TRACES, &own).await.expect(200).json()["traces"][0]["name"],
        "of carl"
    );
    for (who, expected) in [(&ann, "of acme"), (&bob, "of acme"), (&carl, "of carl")] {
        let list = who.get_after(TRACES, &own).await.expect(200).json();
        assert_eq!((list["total"].as_u64(), list["traces"][0]["name"].as_str()), (Some(1), Some(expected)));
    }
    assert_eq!(bearer("carl", Some("globex")).get(TRACES).await.expect(200).json()["total"], 0);
    // A key belongs to the user who made it, and to the organisation.
    let key = ann.post("/api/v1/api-keys", json!({})).await.expect(201).json()["key"].as_str().unwrap().to_owned();
    assert_eq!(retrace.client.with_key(&key).get(&path).await.expect(200).json()["name"], "of acme");
    assert_eq!(ann.get("/api/v1/api-keys").await.expect(200).json()["exists"], true);
    assert_eq!(bob.get("/api/v1/api-keys").await.expect(200).json()["exists"], false);
    let marked = bob.post(&format!("{path}/golden"), json!({"golden": true})).await.expect(200);
    assert_eq!(ann.get_after(&path, &marked).await.expect(200).json()["golden"], true);
    let deleted = bob.delete(&path).await.expect(204);
    ann.get_after(&path, &deleted).await.expect(404);
    retrace.assert_exact().await;
}

/// The table of docs/PERMISSIONS.md against the server: no route is forgotten.
#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_reads_and_changes_nothing() {
    let provider = Provider::start().await;
    let retrace = trusting(&provider, 3600).await;
    let bearer =
        |user, changes| Bearer::new(&retrace, &KEYS[0].token("k1", &with(claims(user, Some("acme")), changes)));
    let (ann, vic) = (bearer("ann", json!({})), bearer("vic", json!({"org_role": "org:viewer"})));
    let id = ann.post(TRACES, json!({"name": "of acme"})).await.expect(201).json()["id"].as_str().unwrap().to_owned();
    vic.get(&format!("{TRACES}/{id}")).await.expect(200);
    // A key allows no more than the role of who made it.
    let key = vic.post("/api/v1/api-keys", json!({})).await.expect(201).json()["key"].as_str().unwrap().to_owned();
    let key = retrace.client.with_key(&key);
    // Its own key a viewer may renew and revoke, which would end the test.
    let others = routes().filter(|route| route.path != "/api/v1/api-keys");
    for route in others.filter(|route| route.needs > Needs::Nothing) {
        let path = route.path.replace("{id}", &id);
        let method = reqwest::Method::from_bytes(route.method.as_bytes()).unwrap();
        let refused = key.send(method.clone(), &path, &[], Some(b"{}".to_vec())).await;
        match route.needs {
            Needs::Credentials | Needs::OwnKeys | Needs::Reading => {
                assert_ne!(refused.status.as_u16(), 403, "{method} {path}");
            }
            _ => {
                let refused = refused.expect(403).error();
                assert_eq!(refused, "The role viewer does not allow this: it reads only", "{method} {path}");
            }
        }
    }
    for (role, status) in [(json!("org:billing"), 403), (json!("admin"), 201), (json!(null), 201)] {
        bearer("bea", json!({"org_role": role})).post(TRACES, json!({})).await.expect(status);
    }
    retrace.assert_exact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_organisations_with_one_trace_id_see_their_own() {
    let provider = Provider::start().await;
    let retrace = trusting(&provider, 3600).await;
    let bearer = |organisation| Bearer::new(&retrace, &KEYS[0].token("k1", &claims("ann", Some(organisation))));
    let (acme, globex, initech) = (bearer("acme"), bearer("globex"), bearer("initech"));
    let (id, span) = (Uuid::new_v4().to_string(), Uuid::new_v4().to_string());
    let path = format!("{TRACES}/{id}");
    let trace = |name: &str, tokens: i64| {
        json!({"id": id, "name": name, "output": name, "status": "completed", "started_at": "2026-11-20T10:00:00Z", "spans": [
            {"id": span, "span_type": "llm_call", "name": name, "input_tokens": tokens, "output": name, "started_at": "2026-11-20T10:00:00Z"}]})
    };
    acme.post(TRACES, trace("of acme", 1)).await.expect(201);
    let last = globex.post(TRACES, trace("of globex", 2)).await.expect(201);
    for (who, name, tokens) in [(&acme, "of acme", 1), (&globex, "of globex", 2)] {
        let read = who.get_after(&path, &last).await.expect(200).json();
        assert_eq!((read["name"].as_str(), read["output"].as_str()), (Some(name), Some(name)));
        assert_eq!((read["span_count"].as_i64(), read["total_tokens"].as_i64()), (Some(1), Some(tokens)));
        let spans = read["spans"].as_array().unwrap();
        assert_eq!((spans.len(), spans[0]["output"].as_str()), (1, Some(name)));
        let list = who.get(&format!("{TRACES}?q=of")).await.expect(200).json();
        assert_eq!((list["total"].as_u64(), list["traces"][0]["name"].as_str()), (Some(1), Some(name)));
    }
    let given = acme.post(&format!("{path}/feedback"), json!({"value": -1, "note": "of acme"})).await.expect(201);
    assert_eq!(
        acme.get_after(&format!("{path}/feedback"), &given).await.expect(200).json()["feedback"]["note"],
        "of acme"
    );
    assert_eq!(globex.get(&format!("{path}/feedback")).await.expect(200).json(), json!({"feedback": null}));
    for answer in [initech.get(&path).await, initech.delete(&path).await, initech.get(&format!("{path}/spans")).await] {
        assert_eq!(answer.expect(404).error(), "Trace not found");
    }
    let deleted = acme.delete(&path).await.expect(204);
    acme.get_after(&path, &deleted).await.expect(404);
    assert_eq!(globex.get(&path).await.expect(200).json()["spans"][0]["name"], "of globex");
    assert_eq!(globex.get(TRACES).await.expect(200).json()["total"], 1);
    retrace.assert_exact().await;
}

/// Every token on the list gets 401 for a read and for a write, and leaves nothing behind.
async fn assert_refused(retrace: &Retrace, tokens: &[(&str, String)]) {
    for (fault, token) in tokens {
        let bearer = Bearer::new(retrace, token);
        for reply in [bearer.get(TRACES).await, bearer.post(TRACES, json!({"name": fault})).await] {
            assert_eq!((reply.status.as_u16(), reply.json()), (401, json!({"error": INVALID})), "{fault}");
        }
    }
    retrace.settled().await;
    let ann = Bearer::new(retrace, &KEYS[0].token("k1", &claims("ann", Some("acme"))));
    assert_eq!(ann.get(TRACES).await.expect(200).json()["total"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_with_a_fault_is_refused() {
    let provider = Provider::start().await;
    let retrace = trusting(&provider, 3600).await;
    let [right, wrong, _] = &*KEYS;
    let good = || claims("ann", Some("acme"));
    let signed = |changes: Value| right.token("k1", &with(good(), changes));
    // The same token without the fault is taken, so that each refusal is for its fault alone.
    for changes in
        [json!({}), json!({"aud": ["x", AUDIENCE]}), json!({"nbf": null}), json!({"exp": now() as f64 + 60.5})]
    {
        Bearer::new(&retrace, &signed(changes)).get(TRACES).await.expect(200);
    }

    let mut tokens: Vec<(&str, String)> = [
        ("expired", json!({"exp": now() - 60})),
        ("without an end", json!({"exp": null})),
        ("an end that is text", json!({"exp": (now() + 600).to_string()})),
        ("not valid yet", json!({"nbf": now() + 60})),
        ("a beginning that is text", json!({"nbf": "tomorrow"})),
        ("another issuer", json!({"iss": "https://issuer.test.evil"})),
        ("an issuer that begins alike", json!({"iss": "https://issuer.tes"})),
        ("without an issuer", json!({"iss": null})),
        ("another audience", json!({"aud": "others"})),
        ("other audiences", json!({"aud": ["a", "b"]})),
        ("another party", json!({"azp": "https://evil.test"})),
        ("without a party", json!({"azp": null})),
        ("without a user", json!({"sub": null})),
        ("an empty user", json!({"sub": ""})),
        ("a user with NUL", json!({"sub": "a\u{0}b"})),
    ]
    .into_iter()
    .map(|(fault, changes)| (fault, signed(changes)))
    .collect();

    for algorithm in ["none", "None", "NONE", "nOnE", ""] {
        let text = unsigned(&json!({"alg": algorithm, "typ": "JWT", "kid": "k1"}), &good());
        tokens.push(("unsigned", format!("{text}.")));
        tokens.push(("unsigned without a last part", text.clone()));
        tokens.push(("of no algorithm, but signed", format!("{text}.{}", right.sign(Algorithm::RS256, &text))));
    }
    let text = unsigned(&json!({"alg": "RS256", "typ": "JWT", "kid": "k1"}), &good());
    tokens.push(("without its signature", format!("{text}.")));
    tokens.push(("four parts", format!("{}.x", signed(json!({})))));
    tokens.push(("another key", wrong.token("k1", &good())));
    tokens.push(("a key that is not published", wrong.token("k2", &good())));
    let public = right.private.to_public_key();
    let pem = public.to_public_key_pem(LineEnding::LF).unwrap();
    for (fault, secret) in [
        ("HS256 by the public key", pem.clone().into_bytes()),
        ("HS256 by the public key, trimmed", pem.trim().as_bytes().to_vec()),
        ("HS256 by the public key in DER", public.to_public_key_der().unwrap().into_vec()),
        ("HS256 by the modulus", public.n().to_bytes_be()),
        ("HS256 by the modulus as published", right.jwk("k1")["n"].as_str().unwrap().as_bytes().to_vec()),
        ("HS256 by nothing", Vec::new()),
    ] {
        for algorithm in ["HS256", "RS256"] {
            let text = unsigned(&json!({"alg": algorithm, "typ": "JWT", "kid": "k1"}), &good());
            let signature =
                crypto::sign(text.as_bytes(), &EncodingKey::from_secret(&secret), Algorithm::HS256).unwrap();
            tokens.push((fault, format!("{text}.{signature}")));
        }
    }
    // Sound signatures of the right key, by algorithms that are not the pinned one.
    for (name, algorithm) in [("RS384", Algorithm::RS384), ("RS512", Algorithm::RS512), ("PS256", Algorithm::PS256)] {
        let text = unsigned(&json!({"alg": name, "typ": "JWT", "kid": "k1"}), &good());
        tokens.push((name, format!("{text}.{}", right.sign(algorithm, &text))));
    }
    // A token that brings its own key or says where to get it.
    for (fault, header) in [
        ("its own key", json!({"alg": "RS256", "kid": "k1", "jwk": wrong.jwk("k1")})),
        ("its own key, and no id", json!({"alg": "RS256", "jwk": wrong.jwk("k1")})),
        ("its own key server", json!({"alg": "RS256", "kid": "k1", "jku": format!("http://{}/", provider.address)})),
    ] {
        let text = unsigned(&header, &good());
        tokens.push((fault, format!("{text}.{}", wrong.sign(Algorithm::RS256, &text))));
    }
    let nameless = unsigned(&json!({"alg": "RS256", "typ": "JWT"}), &good());
    tokens.push(("no key's id", format!("{nameless}.{}", right.sign(Algorithm::RS256, &nameless))));
    let (payload, signature) = (signed(json!({"sub": "eve"})), signed(json!({})));
    let (payload, signature) = (payload.rsplit_once('.').unwrap().0, signature.rsplit_once('.').unwrap().1);
    tokens.push(("another's signature", format!("{payload}.{signature}")));

    assert_refused(&retrace, &tokens).await;
    // One fetch a service, whatever the tokens name.
    assert!(provider.asked() <= 2, "the key server was asked {} times", provider.asked());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_names_no_audience_is_refused_where_one_is_required() {
    let provider = Provider::start().await;
    let retrace = trusting(&provider, 3600).await;
    let tokens: Vec<(&str, String)> =
        [("no audience", json!(null)), ("an empty list", json!([])), ("a number", json!(7)), ("an object", json!({}))]
            .into_iter()
            .map(|(fault, audience)| {
                (fault, KEYS[0].token("k1", &with(claims("ann", Some("acme")), json!({"aud": audience}))))
            })
            .collect();
    assert_refused(&retrace, &tokens).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_are_limited_by_address() {
    let provider = Provider::start().await;
    for kind in ["API keys", "tokens"] {
        let retrace = Retrace::with(|settings| {
            settings.jwt_jwks_url = format!("http://{}/", provider.address);
            settings.rate_read_per_minute = 60;
            settings.rate_read_burst = 5;
        })
        .await;
        let mut statuses = Vec::new();
        for guess in 0..30 {
            let answer = match kind {
                "API keys" => retrace.client.with_key(&format!("rt_guess{guess}")).get(TRACES).await.status.as_u16(),
                _ => {
                    Bearer::new(&retrace, &KEYS[1].token("k1", &claims("eve", None))).get(TRACES).await.status.as_u16()
                }
            };
            statuses.push(answer);
        }
        assert_eq!(statuses[0], 401, "{kind}");
        assert!(statuses.contains(&429), "{kind}: {statuses:?}");
        // Who has credentials is counted by itself.
        Bearer::new(&retrace, &KEYS[0].token("k1", &claims("ann", None))).get(TRACES).await.expect(200);
        retrace.client.get(TRACES).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_opens_a_live_socket_and_ends_it_when_it_expires() {
    let provider = Provider::start().await;
    let retrace = trusting(&provider, 3600).await;
    // It holds for the leeway of five seconds longer.
    let token = |expires| KEYS[0].token("k1", &with(claims("ann", Some("acme")), json!({"exp": expires})));
    let (short, long) = (retrace.client.with_key(&token(now() - 2)), retrace.client.with_key(&token(now() + 600)));
    let (mut ends, mut stays) = (Socket::with_acks(&short).await, Socket::with_acks(&long).await);
    let (_, code, reason) = ends.closed().await;
    assert_eq!((code, reason.as_str()), (4001, INVALID));
    let id = Uuid::new_v4().to_string();
    stays.send(&json!({"type": "trace_started", "data": {"id": id, "name": "of acme"}, "seq": 1})).await;
    assert_eq!(stays.acks(1).await, [1]);
    let bearer = Bearer::new(&retrace, &long.key);
    assert_eq!(bearer.get(&format!("{TRACES}/{id}")).await.expect(200).json()["name"], "of acme");
    let viewer = KEYS[0].token("k1", &with(claims("vic", Some("acme")), json!({"org_role": "org:viewer"})));
    let mut refused = Socket::open(&retrace.client).await;
    refused.send(&json!({"type": "auth", "api_key": viewer})).await;
    let (_, code, reason) = refused.closed().await;
    assert_eq!((code, reason.as_str()), (4001, "The role viewer does not allow this: it reads only"));
    retrace.assert_exact().await;
}
