//! A server that speaks the wire of Gemini's `generateContent`, as far as the product uses it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

/// What it does about a call; beyond those that are told it answers well.
#[derive(Clone)]
pub enum Reply {
    Says(Value),
    Status(u16, Value),
    Late(Duration),
}

/// A call that it got.
#[derive(Clone)]
pub struct Call {
    pub model: String,
    pub key: String,
    pub body: Value,
}

#[derive(Default)]
struct Shared {
    replies: Mutex<VecDeque<Reply>>,
    calls: Mutex<Vec<Call>>,
    /// How long it thinks about every answer.
    thinks: Mutex<Duration>,
    answers: AtomicU64,
}

pub struct Gemini {
    pub url: String,
    shared: Arc<Shared>,
}

/// What a candidate of its answer says, of which so many tokens were counted.
pub fn candidate(text: &str, finish_reason: &str, tokens: [i64; 3]) -> Value {
    json!({
        "candidates": [{
            "content": {"role": "model", "parts": [{"text": "**Looking** at the steps", "thought": true}, {"text": text}]},
            "finishReason": finish_reason,
            "index": 0,
        }],
        "usageMetadata": {
            "promptTokenCount": tokens[0], "candidatesTokenCount": tokens[1], "thoughtsTokenCount": tokens[2],
            "totalTokenCount": tokens.iter().sum::<i64>(),
        },
        "modelVersion": "gemini-2.5-flash",
        "responseId": "mAitaLmkHPPlz7IPvtfUqQ4",
    })
}

pub fn analysis(failed_step: Value) -> Value {
    json!({
        "failed_step": failed_step,
        "root_cause": "The search provider refused the call.",
        "contributing_factors": ["No retry"],
        "suggested_fix": "Retry with backoff.",
        "confidence": 0.9,
    })
}

impl Gemini {
    pub async fn start() -> Gemini {
        let shared = Arc::new(Shared::default());
        let router = Router::new().route("/v1beta/models/{call}", post(generate)).with_state(Arc::clone(&shared));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Gemini { url, shared }
    }

    pub fn will(&self, replies: &[Reply]) {
        *self.shared.replies.lock().unwrap() = replies.iter().cloned().collect();
    }

    pub fn thinks(&self, time: Duration) {
        *self.shared.thinks.lock().unwrap() = time;
    }

    /// The calls since the last time.
    pub fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut *self.shared.calls.lock().unwrap())
    }
}

async fn generate(
    State(shared): State<Arc<Shared>>,
    Path(call): Path<String>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let (model, method) = call.split_once(':').unwrap();
    assert_eq!(method, "generateContent");
    let key = headers.get("x-goog-api-key").map(|key| key.to_str().unwrap().to_owned()).unwrap_or_default();
    let suspected = suspected_step(&body);
    shared.calls.lock().unwrap().push(Call { model: model.to_owned(), key, body });
    let reply = shared.replies.lock().unwrap().pop_front();
    let thinks = *shared.thinks.lock().unwrap();
    tokio::time::sleep(thinks).await;
    match reply {
        None => {
            let mut said = analysis(suspected);
            // No two of its answers are the same.
            said["suggested_fix"] =
                json!(format!("Retry with backoff ({}).", shared.answers.fetch_add(1, Ordering::Relaxed)));
            Json(candidate(&said.to_string(), "STOP", [4_000, 150, 350])).into_response()
        }
        Some(Reply::Says(answer)) => Json(answer).into_response(),
        Some(Reply::Status(status, body)) => (StatusCode::from_u16(status).unwrap(), Json(body)).into_response(),
        Some(Reply::Late(time)) => {
            tokio::time::sleep(time).await;
            Json(candidate("too late", "STOP", [1, 1, 1])).into_response()
        }
    }
}

/// Of the excerpt that it is shown.
fn suspected_step(body: &Value) -> Value {
    let text = body["contents"][0]["parts"][0]["text"].as_str().unwrap_or_default();
    serde_json::from_str::<Value>(text).map_or(Value::Null, |excerpt| excerpt["suspected_step"].clone())
}
