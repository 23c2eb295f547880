//! One socket: a frame at its time, acks as they come, and after a break the same frames again.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use futures::{SinkExt, StreamExt};
use hdrhistogram::Histogram;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::run;

/// After a break; a server that restarts takes seconds.
const REST: Duration = Duration::from_secs(1);
const BACK_WITHIN: Duration = Duration::from_secs(120);

pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

#[derive(Clone)]
pub struct Pace {
    pub every: Duration,
    /// Runs that have begun by then are finished.
    pub until: Instant,
    pub span_bytes: usize,
}

pub struct Told {
    /// Microseconds from sending to the ack.
    pub acks: Histogram<u64>,
    pub frames: u64,
    pub runs: u64,
    pub lost: u64,
    pub errors: u64,
}

#[derive(Deserialize)]
struct Frame {
    #[serde(rename = "type")]
    kind: String,
    seq: Option<u64>,
}

pub async fn connected(url: &str, key: &str) -> anyhow::Result<Socket> {
    let (mut socket, _) = connect_async(url).await.with_context(|| format!("{url} takes no WebSocket"))?;
    let auth = json!({"type": "auth", "api_key": key, "acks": true, "resumable": false});
    socket.send(Message::text(auth.to_string())).await?;
    match socket.next().await {
        Some(Ok(Message::Text(text))) if text.contains("auth_ok") => Ok(socket),
        other => bail!("no auth_ok: {other:?}"),
    }
}

struct Driver {
    /// Not acknowledged: by number, the frame and when it was sent.
    sent: BTreeMap<u64, (String, Instant)>,
    told: Told,
}

pub async fn drive(
    mut socket: Socket,
    (url, key): (String, String),
    project: String,
    pace: Pace,
    number: u64,
) -> anyhow::Result<Told> {
    let told = Told { acks: Histogram::new(3)?, frames: 0, runs: 0, lost: 0, errors: 0 };
    let mut driver = Driver { sent: BTreeMap::new(), told };
    let mut waiting: VecDeque<Value> = VecDeque::new();
    let mut due = Instant::now() + Duration::from_millis(number.wrapping_mul(617) % 1_000);
    loop {
        if waiting.is_empty() {
            if Instant::now() < pace.until {
                waiting = run::frames(&project, pace.span_bytes)?;
                driver.told.runs += 1;
            } else if driver.sent.is_empty() {
                return Ok(driver.told);
            }
        }
        let goes_on = tokio::select! {
            () = tokio::time::sleep_until(due), if !waiting.is_empty() => {
                due += pace.every;
                match waiting.pop_front() {
                    Some(frame) => driver.send(&mut socket, frame).await,
                    None => true,
                }
            }
            message = socket.next() => driver.hear(&mut socket, message).await?,
        };
        if !goes_on {
            driver.told.lost += 1;
            socket = driver.back(&url, &key).await?;
        }
    }
}

impl Driver {
    async fn send(&mut self, socket: &mut Socket, mut frame: Value) -> bool {
        self.told.frames += 1;
        let number = self.told.frames;
        frame["seq"] = json!(number);
        let text = frame.to_string();
        self.sent.insert(number, (text.clone(), Instant::now()));
        socket.send(Message::text(text)).await.is_ok()
    }

    async fn hear<E>(&mut self, socket: &mut Socket, message: Option<Result<Message, E>>) -> anyhow::Result<bool> {
        let text = match message {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(false),
            Some(Ok(_)) => return Ok(true),
        };
        let frame: Frame = serde_json::from_str(&text)?;
        match frame.kind.as_str() {
            "ack" => {
                let number = frame.seq.context("an ack without a number")?;
                if let Some((_, at)) = self.sent.remove(&number) {
                    self.told.acks.record(at.elapsed().as_micros() as u64)?;
                }
            }
            "ping" => return Ok(socket.send(Message::text(r#"{"type":"pong"}"#)).await.is_ok()),
            _ => self.told.errors += 1,
        }
        Ok(true)
    }

    /// Connected again, with everything sent again that is not acknowledged.
    async fn back(&mut self, url: &str, key: &str) -> anyhow::Result<Socket> {
        let deadline = Instant::now() + BACK_WITHIN;
        loop {
            tokio::time::sleep(REST).await;
            if let Ok(mut socket) = connected(url, key).await {
                let mut sent = Ok(());
                for (text, _) in self.sent.values() {
                    sent = socket.feed(Message::text(text.clone())).await;
                    if sent.is_err() {
                        break;
                    }
                }
                if sent.is_ok() && socket.flush().await.is_ok() {
                    return Ok(socket);
                }
            }
            ensure!(Instant::now() < deadline, "the server is not reachable");
        }
    }
}
