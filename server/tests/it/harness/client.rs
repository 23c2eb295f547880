//! A client as users write it: JSON over HTTP with a key.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::contract;

#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    pub base: String,
    pub key: String,
    is_patient: bool,
}

/// How long a patient client asks.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

/// An answer that need not be text.
#[derive(Debug)]
pub struct Download {
    pub headers: reqwest::header::HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }

    pub fn error(&self) -> String {
        self.json()["error"].as_str().unwrap_or_else(|| panic!("no error: {}", self.text)).to_owned()
    }

    pub fn position(&self) -> String {
        self.headers["x-retrace-position"].to_str().unwrap().to_owned()
    }

    #[track_caller]
    pub fn expect(self, status: u16) -> Answer {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }
}

impl Client {
    pub fn new(base: &str, key: &str) -> Client {
        // A test of processes starts no service that would have chosen one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Client { http: reqwest::Client::new(), base: base.to_owned(), key: key.to_owned(), is_patient: false }
    }

    pub fn with_key(&self, key: &str) -> Client {
        Client { key: key.to_owned(), ..self.clone() }
    }

    /// Reads again what is answered with a 503, as that asks for: for tests of what the answers are, while services are
    /// stopped and short of time.
    pub fn patient(self) -> Client {
        Client { is_patient: true, ..self }
    }

    /// The same caller at another node.
    pub fn at(&self, base: &str) -> Client {
        Client { base: base.to_owned(), ..self.clone() }
    }

    pub async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Option<Vec<u8>>) -> Answer {
        self.try_send(method, path, headers, body).await.unwrap()
    }

    pub async fn try_send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> reqwest::Result<Answer> {
        let mut request = self.http.request(method.clone(), format!("{}{path}", self.base));
        if !self.key.is_empty() {
            request = request.header("x-retrace-key", &self.key);
        }
        if body.is_some() && headers.iter().all(|(name, _)| *name != "content-type") {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let response = request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await?;
        contract::check(&method, path, status, &text);
        Ok(Answer { status, headers, text })
    }

    pub async fn get(&self, path: &str) -> Answer {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.send(Method::GET, path, &[], None).await;
            if !self.is_patient || answer.status != StatusCode::SERVICE_UNAVAILABLE || Instant::now() > deadline {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// A file, whole.
    pub async fn download(&self, path: &str) -> Download {
        let response = self.begin(path).await;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await.unwrap();
        assert_eq!(status.as_u16(), 200, "{path}: {}", String::from_utf8_lossy(&body));
        Download { headers, body: body.into() }
    }

    /// A file of which nothing is read yet.
    pub async fn begin(&self, path: &str) -> reqwest::Response {
        let request = self.http.get(format!("{}{path}", self.base)).header("x-retrace-key", &self.key);
        request.send().await.unwrap()
    }

    /// A read that waits for a write.
    pub async fn get_after(&self, path: &str, position: &str) -> Answer {
        self.send(Method::GET, path, &[("x-retrace-after", position)], None).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, &[], Some(body.to_string().into_bytes())).await
    }

    pub async fn post_text(&self, path: &str, body: &str) -> Answer {
        self.send(Method::POST, path, &[], Some(body.as_bytes().to_vec())).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PATCH, path, &[], Some(body.to_string().into_bytes())).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PUT, path, &[], Some(body.to_string().into_bytes())).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, &[], None).await
    }
}
