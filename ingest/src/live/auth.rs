//! Whose connection it is: by its first frame, verified as requests are, and again while it lasts.

use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use futures::StreamExt;
use runtime::auth::Principal;
use runtime::http::routes::Needs;
use runtime::http::{ClientIp, Gate, RequestNames};
use runtime::{Problem, Settings};
use serde::Deserialize;

/// A first frame that is longer holds no credentials.
const LONGEST: usize = 16 * 1024;
/// Between two looks whether the credentials still hold: a revocation ends a connection within a second.
const AGAIN: Duration = Duration::from_millis(500);

#[derive(Deserialize)]
struct AuthIn {
    #[serde(rename = "type")]
    kind: String,
    /// An API key, or a bearer token.
    api_key: String,
    #[serde(default)]
    acks: Option<bool>,
    #[serde(default)]
    resumable: Option<bool>,
}

/// Who is connected, and what it has asked for.
pub struct Caller {
    pub principal: Principal,
    /// As a request would carry them.
    pub credentials: HeaderMap,
    pub names: RequestNames,
    pub ip: ClientIp,
    pub acks: bool,
    pub resumable: bool,
}

/// Waits for the first frame. The error is the reason that the client is told.
pub async fn authenticate(
    socket: &mut WebSocket,
    gate: &Gate,
    settings: &Settings,
    (mut names, ip): (RequestNames, ClientIp),
) -> Result<Caller, String> {
    let patience = Duration::from_secs(settings.live_auth_seconds);
    let first = tokio::time::timeout(patience, first_text(socket)).await;
    let text = first.map_err(|_| format!("No auth frame within {} s", patience.as_secs()))?;
    let text = text.ok_or("The first frame must be the auth frame")?;
    let auth: AuthIn = serde_json::from_str(&text)
        .ok()
        .filter(|auth: &AuthIn| auth.kind == "auth")
        .ok_or("The first frame must be {\"type\":\"auth\",\"api_key\":…}")?;
    let credentials = headers(&auth.api_key).ok_or("The API key is not valid")?;
    let (principal, client) = gate.who(&credentials, ip, Needs::Recording).await.map_err(|problem| problem.message)?;
    names.client = Some(client);
    Ok(Caller {
        principal,
        credentials,
        names,
        ip,
        acks: auth.acks.unwrap_or(false),
        resumable: auth.resumable.unwrap_or(false),
    })
}

async fn first_text(socket: &mut WebSocket) -> Option<String> {
    loop {
        match socket.next().await?.ok()? {
            Message::Text(text) => return (text.len() <= LONGEST).then(|| text.to_string()),
            Message::Ping(_) | Message::Pong(_) => {}
            Message::Binary(_) | Message::Close(_) => return None,
        }
    }
}

fn headers(key: &str) -> Option<HeaderMap> {
    let (name, value) = if key.starts_with("rt_") {
        (HeaderName::from_static("x-retrace-key"), HeaderValue::from_str(key))
    } else {
        (header::AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {key}")))
    };
    Some(HeaderMap::from_iter([(name, value.ok()?)]))
}

impl Caller {
    /// Waits until the credentials do not hold any more, and says why. What cannot be known at a moment is no reason.
    pub async fn until_ended(&self, gate: &Gate) -> String {
        loop {
            tokio::time::sleep(AGAIN).await;
            // Too many: they do not hold, and the address has guessed enough already.
            if let Err(Problem {
                status: StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS,
                message,
                ..
            }) = gate.who(&self.credentials, self.ip, Needs::Recording).await
            {
                return message;
            }
        }
    }
}
