//! Bearer tokens of an identity provider that runs in the test: who they speak for, which are refused, and what its
//! key server can do to this one.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use rsa::RsaPrivateKey;
use rsa::pkcs1::EncodeRsaPrivateKey;
use rsa::pkcs8::{EncodePublicKey, LineEnding};
use rsa::rand_core::OsRng;
use rsa::traits::PublicKeyParts;
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use uuid::Uuid;

use crate::harness::{Answer, Client, Retrace, eventually};

const ISSUER: &str = "https://issuer.test";
const AUDIENCE: &str = "retrace";
const PARTY: &str = "https://app.test";
const TRACES: &str = "/api/v1/traces";
const INVALID: &str = "The bearer token is not valid";

/// Making a key takes a moment, so all tests share three; none is used elsewhere.
static KEYS: LazyLock<[SigningKey; 3]> = LazyLock::new(|| [SigningKey::new(), SigningKey::new(), SigningKey::new()]);

struct SigningKey {
    private: RsaPrivateKey,
    encoding: EncodingKey,
}

impl SigningKey {
    fn new() -> SigningKey {
        let private = RsaPrivateKey::new(&mut OsRng, 2048).unwrap();
        let encoding = EncodingKey::from_rsa_der(private.to_pkcs1_der().unwrap().as_bytes());
        SigningKey { private, encoding }
    }

    fn jwk(&self, id: &str) -> Value {
        let number = |number: &rsa::BigUint| URL_SAFE_NO_PAD.encode(number.to_bytes_be());
        json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": id, "n": number(self.private.n()), "e": number(self.private.e())})
    }

    fn sign(&self, algorithm: Algorithm, text: &str) -> String {
        crypto::sign(text.as_bytes(), &self.encoding, algorithm).unwrap()
    }

    /// A token as the provider makes it.
    fn token(&self, id: &str, claims: &Value) -> String {
        let unsigned = unsigned(&json!({"alg": "RS256", "typ": "JWT", "kid": id}), claims);
        format!("{unsigned}.{}", self.sign(Algorithm::RS256, &unsigned))
    }
}

fn unsigned(header: &Value, claims: &Value) -> String {
    let encoded = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    format!("{}.{}", encoded(header), encoded(claims))
}

fn now() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}

/// As a session token of Clerk; `None` is a user outside of any organisation.
fn claims(user: &str, organisation: Option<&str>) -> Value {
    let mut claims = json!({"iss": ISSUER, "aud": AUDIENCE, "azp": PARTY, "sub": user, "iat": now(), "nbf": now() - 10, "exp": now() + 600});
    if let Some(organisation) = organisation {
        claims["org_id"] = json!(organisation);
        claims["org_role"] = json!("org:member");
    }
    claims
}

/// The claims with some changed; null takes one away.
fn with(mut claims: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value.clone(),
        }
    }
    claims
}

/// How the key server behaves.
enum Mood {
    Publishes(Vec<Value>),
    Answers(StatusCode, &'static str),
    Hangs,
}

#[derive(Clone)]
struct Behaviour {
    mood: Arc<Mutex<Mood>>,
    asked: Arc<AtomicUsize>,
}

/// The provider's key server.
struct Provider {
    address: SocketAddr,
    behaviour: Behaviour,
    serving: JoinHandle<()>,
}

impl Provider {
    /// Publishes the first key as `k1`.
    async fn start() -> Provider {
        let mood = Mood::Publishes(vec![KEYS[0].jwk("k1")]);
        let behaviour = Behaviour { mood: Arc::new(Mutex::new(mood)), asked: Arc::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Provider { address, serving: serve(listener, behaviour.clone()), behaviour }
    }

    fn becomes(&self, mood: Mood) {
        *self.behaviour.mood.lock().unwrap() = mood;
    }

    fn asked(&self) -> usize {
        self.behaviour.asked.load(Ordering::SeqCst)
    }

    /// Connections are refused from here on: none outlives its answer.
    async fn goes_down(&mut self) {
        self.serving.abort();
        let _ = (&mut self.serving).await;
    }

    async fn comes_back(&mut self) {
        self.serving = serve(TcpListener::bind(self.address).await.unwrap(), self.behaviour.clone());
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn serve(listener: TcpListener, behaviour: Behaviour) -> JoinHandle<()> {
    let router = Router::new().fallback(key_set).with_state(behaviour);
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() })
}

async fn key_set(State(behaviour): State<Behaviour>) -> Response {
    behaviour.asked.fetch_add(1, Ordering::SeqCst);
    let answer = match &*behaviour.mood.lock().unwrap() {
        Mood::Publishes(keys) => Some((StatusCode::OK, json!({"keys": keys}).to_string())),
        Mood::Answers(status, text) => Some((*status, (*text).to_owned())),
        Mood::Hangs => None,
    };
    match answer {
        Some((status, text)) => {
            (status, [(header::CONNECTION, "close"), (header::CONTENT_TYPE, "application/json")], text).into_response()
        }
        None => std::future::pending().await,
    }
}

/// An installation that trusts the provider.
async fn trusting(provider: &Provider, refresh_seconds: u64) -> Retrace {
    Retrace::with(|settings| {
        settings.jwt_jwks_url = format!("http://{}/.well-known/jwks.json", provider.address);
        settings.jwt_issuer = ISSUER.into();
        settings.jwt_audience = format!("other, {AUDIENCE}");
        settings.jwt_authorized_parties = PARTY.into();
        settings.jwt_refresh_seconds = refresh_seconds;
    })
    .await
}

/// Sends a token as browsers do.
#[derive(Clone)]
struct Bearer {
    client: Client,
    authorization: String,
}

impl Bearer {
    fn new(retrace: &Retrace, token: &str) -> Bearer {
        Bearer { client: retrace.client.with_key(""), authorization: format!("Bearer {token}") }
    }

    async fn send(&self, method: Method, path: &str, after: Option<&str>, body: Option<Value>) -> Answer {
        let mut headers = vec![("authorization", self.authorization.as_str())];
        headers.extend(after.map(|position| ("x-retrace-after", position)));
        self.client.send(method, path, &headers, body.map(|body| body.to_string().into_bytes())).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None, None).await
    }

    async fn get_after(&self, path: &str, write: &Answer) -> Answer {
        self.send(Method::GET, path, Some(&write.position()), None).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, None, Some(body)).await
    }

    async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None, None).await
    }
}

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
