//! Writes that need a read ask query-api over HTTP, with the caller's credentials, outside the rate limits.

use std::time::Duration;

use axum::http::HeaderMap;
use runtime::{Problem, Settings};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// What an answer takes beside the wait for its projection.
const ANSWER: Duration = Duration::from_secs(8);

/// What of the caller's request goes along.
const FORWARDED: &[&str] = &["x-retrace-key", "authorization", "x-retrace-after", "traceparent"];

pub struct Ask {
    client: reqwest::Client,
    base: String,
    secret: String,
}

impl Ask {
    pub fn new(settings: &Settings) -> anyhow::Result<Ask> {
        let base = if settings.query_url.is_empty() {
            format!("http://{}", settings.listen.replace("0.0.0.0", "127.0.0.1"))
        } else {
            settings.query_url.trim_end_matches('/').to_owned()
        };
        let client = reqwest::Client::builder().timeout(settings.freshness_wait() + ANSWER).build()?;
        Ok(Ask { client, base, secret: settings.secret.clone() })
    }

    /// Ok if the caller may see the trace; 404 if not; 503 if that cannot be known now.
    pub async fn trace_exists(&self, headers: &HeaderMap, request_id: &str, id: &str) -> Result<(), Problem> {
        self.get(headers, request_id, &format!("/api/v1/traces/{id}/spans?limit=1"), None, "Trace").await.map(drop)
    }

    /// As [`Self::trace_exists`], for one of its spans.
    pub async fn span_exists(
        &self,
        headers: &HeaderMap,
        request_id: &str,
        trace_id: &str,
        span_id: &str,
    ) -> Result<(), Problem> {
        let path = format!("/api/v1/traces/{trace_id}/spans/{span_id}");
        self.get(headers, request_id, &path, None, "Span").await.map(drop)
    }

    /// What is known of the trace's failure.
    pub async fn root_cause<T: DeserializeOwned>(
        &self,
        headers: &HeaderMap,
        request_id: &str,
        id: &str,
    ) -> Result<T, Problem> {
        self.read(headers, request_id, &format!("/api/v1/traces/{id}/root-cause"), "Trace").await
    }

    /// A resource as it is read now.
    pub async fn read<T: DeserializeOwned>(
        &self,
        headers: &HeaderMap,
        request_id: &str,
        path: &str,
        what: &str,
    ) -> Result<T, Problem> {
        self.get(headers, request_id, path, None, what).await?.json().await.map_err(unanswered)
    }

    /// A resource as it is read once `after` is projected.
    pub async fn resource(
        &self,
        headers: &HeaderMap,
        request_id: &str,
        path: &str,
        after: &str,
        what: &str,
    ) -> Result<Box<RawValue>, Problem> {
        self.get(headers, request_id, path, Some(after), what).await?.json().await.map_err(unanswered)
    }

    async fn get(
        &self,
        headers: &HeaderMap,
        request_id: &str,
        path: &str,
        after: Option<&str>,
        what: &str,
    ) -> Result<reqwest::Response, Problem> {
        let url = format!("{}{path}", self.base);
        let mut request =
            self.client.get(url).header("x-retrace-internal", &self.secret).header("x-request-id", request_id);
        for name in FORWARDED.iter().copied() {
            if let Some(value) = headers.get(name) {
                request = request.header(name, value);
            }
        }
        if let Some(after) = after {
            request = request.header("x-retrace-after", after);
        }
        let answer = request.send().await.map_err(unanswered)?;
        match answer.status().as_u16() {
            200 => Ok(answer),
            404 => Err(Problem::not_found(what)),
            401 => Err(Problem::unauthorized("The credentials are not valid any more")),
            400 => Err(Problem::bad_request(refusal(answer).await)),
            _ => Err(Problem::unavailable(format!("{what} cannot be looked up at the moment"), 2)),
        }
    }
}

/// Text as one segment of a path.
pub fn segment(text: &str) -> String {
    let mut segment = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            segment.push(char::from(byte));
        } else {
            segment.push_str(&format!("%{byte:02X}"));
        }
    }
    segment
}

fn unanswered(cause: reqwest::Error) -> Problem {
    Problem::store_down("query-api", format!("{:#}", anyhow::Error::from(cause)))
}

/// What query-api says of a request that it does not take.
async fn refusal(answer: reqwest::Response) -> String {
    #[derive(Deserialize)]
    struct Refusal {
        error: String,
    }
    let refusal = answer.json::<Refusal>().await;
    refusal.map_or_else(|_| "query-api refuses the request".to_owned(), |refusal| refusal.error)
}
