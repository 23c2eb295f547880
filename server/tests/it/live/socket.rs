//! A WebSocket as a client has it, frame by frame.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::harness::Client;

/// An answer that has not come by then never will.
const PATIENCE: Duration = Duration::from_secs(20);
/// Nothing comes for so long where nothing should.
pub const QUIET: Duration = Duration::from_millis(400);

pub struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    pub async fn open(client: &Client) -> Socket {
        Socket::at(client, "/ws/v1/stream").await
    }

    pub async fn at(client: &Client, path: &str) -> Socket {
        let url = format!("{}{path}", client.base.replace("http://", "ws://"));
        Socket(connect_async(url).await.unwrap().0)
    }

    /// As client 0.16 opens it.
    pub async fn with_acks(client: &Client) -> Socket {
        Socket::authenticated(client, &json!({"acks": true, "resumable": false, "replay_generation": 1})).await
    }

    /// As client 0.11 opens it.
    pub async fn without_acks(client: &Client) -> Socket {
        Socket::authenticated(client, &json!({})).await
    }

    pub async fn resumable(client: &Client) -> Socket {
        Socket::authenticated(client, &json!({"acks": true, "resumable": true})).await
    }

    async fn authenticated(client: &Client, more: &Value) -> Socket {
        let mut socket = Socket::open(client).await;
        let mut auth = json!({"type": "auth", "api_key": client.key});
        auth.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        socket.send(&auth).await;
        assert_eq!(socket.next().await, json!({"type": "auth_ok"}));
        socket
    }

    pub async fn send(&mut self, frame: &Value) {
        self.send_text(&frame.to_string()).await;
    }

    pub async fn send_text(&mut self, text: &str) {
        self.message(Message::text(text)).await;
    }

    pub async fn message(&mut self, message: Message) {
        self.0.send(message).await.unwrap();
    }

    /// Without waiting for the network at each.
    pub async fn feed(&mut self, frames: impl IntoIterator<Item = Value>) {
        for frame in frames {
            self.0.feed(Message::text(frame.to_string())).await.unwrap();
        }
        self.0.flush().await.unwrap();
    }

    /// The next frame, pings included.
    pub async fn next(&mut self) -> Value {
        match self.message_in(PATIENCE).await {
            Some(Message::Text(text)) => serde_json::from_str(&text).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    pub async fn message_in(&mut self, patience: Duration) -> Option<Message> {
        match tokio::time::timeout(patience, self.0.next()).await {
            Ok(Some(message)) => Some(message.unwrap()),
            Ok(None) => panic!("the connection has ended without a close"),
            Err(_) => None,
        }
    }

    pub async fn is_quiet(&mut self) {
        let message = self.message_in(QUIET).await;
        assert!(message.is_none(), "{message:?}");
    }

    /// So many acks, by their numbers, in any order.
    pub async fn acks(&mut self, count: usize) -> Vec<u64> {
        let mut numbers = Vec::with_capacity(count);
        while numbers.len() < count {
            let frame = self.next().await;
            match frame["type"].as_str() {
                Some("ack") => numbers.push(frame["seq"].as_u64().unwrap()),
                Some("ping") => {}
                _ => panic!("{frame}"),
            }
        }
        numbers.sort_unstable();
        numbers
    }

    /// The text of the next error.
    pub async fn error(&mut self) -> String {
        let frame = self.next().await;
        assert_eq!(frame["type"], "error", "{frame}");
        frame["error"].as_str().unwrap().to_owned()
    }

    /// What came before the close, and its code and reason.
    pub async fn closed(&mut self) -> (Vec<Value>, u16, String) {
        let mut before = Vec::new();
        loop {
            match self.message_in(PATIENCE).await {
                Some(Message::Text(text)) => before.push(serde_json::from_str(&text).unwrap()),
                Some(Message::Close(Some(close))) => return (before, close.code.into(), close.reason.to_string()),
                Some(Message::Ping(_) | Message::Pong(_)) => {}
                other => panic!("{other:?} after {before:?}"),
            }
        }
    }

    /// As [`Self::feed`], where the other side may close meanwhile.
    pub async fn try_feed(&mut self, frames: impl IntoIterator<Item = Value>) -> bool {
        for frame in frames {
            if self.0.feed(Message::text(frame.to_string())).await.is_err() {
                return false;
            }
        }
        self.0.flush().await.is_ok()
    }

    /// Acks until there are so many or a close comes, and its code.
    pub async fn acks_or_close(&mut self, most: usize) -> (Vec<u64>, Option<u16>) {
        let mut numbers = Vec::new();
        while numbers.len() < most {
            match tokio::time::timeout(PATIENCE, self.0.next()).await.expect("an answer") {
                Some(Ok(Message::Text(text))) => {
                    let frame: Value = serde_json::from_str(&text).unwrap();
                    numbers.extend(frame["seq"].as_u64());
                }
                Some(Ok(Message::Close(close))) => return (numbers, close.map(|close| close.code.into())),
                Some(Ok(_)) => {}
                // The close was lost with the connection.
                Some(Err(_)) | None => return (numbers, Some(1013)),
            }
        }
        (numbers, None)
    }
}
