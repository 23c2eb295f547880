//! A model server that speaks OpenAI's wire format, so that the client's interceptors see what they see in production.

use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What one call was answered.
#[derive(Clone, Debug)]
pub struct Served {
    pub prompt_tokens: i64,
    pub completion_tokens: i64,
    pub reply: String,
    pub streamed: bool,
}

type Log = Arc<Mutex<Vec<Served>>>;

pub struct FakeOpenAi {
    pub url: String,
    log: Log,
    serving: JoinHandle<()>,
}

impl FakeOpenAi {
    pub async fn start() -> FakeOpenAi {
        let log = Log::default();
        let router = Router::new().route("/v1/chat/completions", post(complete)).with_state(Arc::clone(&log));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        FakeOpenAi { url, log, serving }
    }

    pub fn served(&self) -> Vec<Served> {
        self.log.lock().unwrap().clone()
    }
}

impl Drop for FakeOpenAi {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Asked for a failure it fails; with tools and no result yet it calls the first; else it repeats the last message.
async fn complete(State(log): State<Log>, Json(request): Json<Value>) -> Response {
    let messages = request["messages"].as_array().unwrap();
    let last = messages.last().unwrap();
    let content = last["content"].as_str().unwrap();
    if content.contains("please fail") {
        let error = json!({"error": {"message": "model overloaded", "type": "invalid_request_error", "param": null, "code": null}});
        return (StatusCode::BAD_REQUEST, Json(error)).into_response();
    }
    let tool = request["tools"][0]["function"]["name"].as_str().filter(|_| last["role"] != "tool");
    let reply = format!("live answer to: {content}");
    let streamed = request["stream"].as_bool() == Some(true);
    let served = Served {
        prompt_tokens: messages.iter().map(|m| m.to_string().len() as i64).sum(),
        completion_tokens: if tool.is_some() { 11 } else { reply.len() as i64 },
        reply: reply.clone(),
        streamed,
    };
    log.lock().unwrap().push(served.clone());
    if streamed {
        let with_usage = request["stream_options"]["include_usage"].as_bool() == Some(true);
        return stream(&request, &served, with_usage);
    }
    let message = match tool {
        Some(name) => json!({"role": "assistant", "content": null, "refusal": null, "annotations": [], "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": name, "arguments": r#"{"q": "vector databases"}"#}}]}),
        None => json!({"role": "assistant", "content": reply, "refusal": null, "annotations": []}),
    };
    let finish = if tool.is_some() { "tool_calls" } else { "stop" };
    let choice = json!({"index": 0, "message": message, "logprobs": null, "finish_reason": finish});
    let mut answer = envelope(&request, "chat.completion", json!([choice]));
    answer["usage"] = usage(&served);
    Json(answer).into_response()
}

fn envelope(request: &Value, object: &str, choices: Value) -> Value {
    json!({"id": "chatcmpl-1", "object": object, "created": 1_790_000_000, "model": request["model"], "choices": choices,
        "service_tier": "default", "system_fingerprint": "fp_test"})
}

fn usage(served: &Served) -> Value {
    json!({"prompt_tokens": served.prompt_tokens, "completion_tokens": served.completion_tokens,
        "total_tokens": served.prompt_tokens + served.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0, "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0}})
}

/// Server-sent events: the role, the text in pieces, the reason it ended, the usage, `[DONE]`.
fn stream(request: &Value, served: &Served, with_usage: bool) -> Response {
    let piece = |delta: Value, finish: Value| {
        let choice = json!({"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish});
        envelope(request, "chat.completion.chunk", json!([choice]))
    };
    let mut chunks = vec![piece(json!({"role": "assistant", "content": "", "refusal": null}), Value::Null)];
    chunks.extend(served.reply.split_inclusive(' ').map(|word| piece(json!({"content": word}), Value::Null)));
    chunks.push(piece(json!({}), json!("stop")));
    if with_usage {
        let mut last = envelope(request, "chat.completion.chunk", json!([]));
        last["usage"] = usage(served);
        chunks.push(last);
    }
    let mut body: String = chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).collect();
    body.push_str("data: [DONE]\n\n");
    ([(header::CONTENT_TYPE, "text/event-stream; charset=utf-8")], body).into_response()
}
