//! The identity provider: its keys, its tokens, its key server, and who sends the tokens.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use rsa::RsaPrivateKey;
use rsa::pkcs1::EncodeRsaPrivateKey;
use rsa::rand_core::OsRng;
use rsa::traits::PublicKeyParts;
use runtime::Settings;
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::harness::{Answer, Client, Retrace};

pub(crate) const ISSUER: &str = "https://issuer.test";
pub(crate) const AUDIENCE: &str = "retrace";
pub(crate) const PARTY: &str = "https://app.test";
pub(crate) const TRACES: &str = "/api/v1/traces";
pub(crate) const INVALID: &str = "The bearer token is not valid";

/// Making a key takes a moment, so all tests share three; none is used elsewhere.
pub(crate) static KEYS: LazyLock<[SigningKey; 3]> =
    LazyLock::new(|| [SigningKey::new(), SigningKey::new(), SigningKey::new()]);

pub(crate) struct SigningKey {
    pub(crate) private: RsaPrivateKey,
    pub(crate) encoding: EncodingKey,
}

impl SigningKey {
    fn new() -> SigningKey {
        let private = RsaPrivateKey::new(&mut OsRng, 2048).unwrap();
        let encoding = EncodingKey::from_rsa_der(private.to_pkcs1_der().unwrap().as_bytes());
        SigningKey { private, encoding }
    }

    pub(crate) fn jwk(&self, id: &str) -> Value {
        let number = |number: &rsa::BigUint| URL_SAFE_NO_PAD.encode(number.to_bytes_be());
        json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": id, "n": number(self.private.n()), "e": number(self.private.e())})
    }

    pub(crate) fn sign(&self, algorithm: Algorithm, text: &str) -> String {
        crypto::sign(text.as_bytes(), &self.encoding, algorithm).unwrap()
    }

    /// A token as the provider makes it.
    pub(crate) fn token(&self, id: &str, claims: &Value) -> String {
        let unsigned = unsigned(&json!({"alg": "RS256", "typ": "JWT", "kid": id}), claims);
        format!("{unsigned}.{}", self.sign(Algorithm::RS256, &unsigned))
    }
}

pub(crate) fn unsigned(header: &Value, claims: &Value) -> String {
    let encoded = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    format!("{}.{}", encoded(header), encoded(claims))
}

pub(crate) fn now() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}

/// As a session token of Clerk; `None` is a user outside of any organisation.
pub(crate) fn claims(user: &str, organisation: Option<&str>) -> Value {
    let mut claims = json!({"iss": ISSUER, "aud": AUDIENCE, "azp": PARTY, "sub": user, "iat": now(), "nbf": now() - 10, "exp": now() + 600});
    if let Some(organisation) = organisation {
        claims["org_id"] = json!(organisation);
        claims["org_role"] = json!("org:member");
    }
    claims
}

/// The claims with some changed; null takes one away.
pub(crate) fn with(mut claims: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value.clone(),
        }
    }
    claims
}

/// How the key server behaves.
pub(crate) enum Mood {
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
pub(crate) struct Provider {
    pub(crate) address: SocketAddr,
    behaviour: Behaviour,
    serving: JoinHandle<()>,
}

impl Provider {
    /// Publishes the first key as `k1`.
    pub(crate) async fn start() -> Provider {
        let mood = Mood::Publishes(vec![KEYS[0].jwk("k1")]);
        let behaviour = Behaviour { mood: Arc::new(Mutex::new(mood)), asked: Arc::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Provider { address, serving: serve(listener, behaviour.clone()), behaviour }
    }

    pub(crate) fn becomes(&self, mood: Mood) {
        *self.behaviour.mood.lock().unwrap() = mood;
    }

    pub(crate) fn asked(&self) -> usize {
        self.behaviour.asked.load(Ordering::SeqCst)
    }

    /// Connections are refused from here on: none outlives its answer.
    pub(crate) async fn goes_down(&mut self) {
        self.serving.abort();
        let _ = (&mut self.serving).await;
    }

    pub(crate) async fn comes_back(&mut self) {
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
pub(crate) async fn trusting(provider: &Provider, refresh_seconds: u64) -> Retrace {
    Retrace::with(|settings| trust(settings, provider, refresh_seconds)).await
}

pub(crate) fn trust(settings: &mut Settings, provider: &Provider, refresh_seconds: u64) {
    settings.jwt_jwks_url = format!("http://{}/.well-known/jwks.json", provider.address);
    settings.jwt_issuer = ISSUER.into();
    settings.jwt_audience = format!("other, {AUDIENCE}");
    settings.jwt_authorized_parties = PARTY.into();
    settings.jwt_refresh_seconds = refresh_seconds;
    // Once in all.
    settings.seen_interval_seconds = 1_000_000_000;
}

/// Sends a token as browsers do.
#[derive(Clone)]
pub(crate) struct Bearer {
    client: Client,
    authorization: String,
}

impl Bearer {
    pub(crate) fn new(retrace: &Retrace, token: &str) -> Bearer {
        Bearer { client: retrace.client.with_key(""), authorization: format!("Bearer {token}") }
    }

    pub(crate) async fn send(&self, method: Method, path: &str, after: Option<&str>, body: Option<Value>) -> Answer {
        let mut headers = vec![("authorization", self.authorization.as_str())];
        headers.extend(after.map(|position| ("x-retrace-after", position)));
        self.client.send(method, path, &headers, body.map(|body| body.to_string().into_bytes())).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None, None).await
    }

    pub(crate) async fn get_after(&self, path: &str, write: &Answer) -> Answer {
        self.send(Method::GET, path, Some(&write.position()), None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, None, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None, None).await
    }
}
