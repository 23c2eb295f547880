//! A client that is connected: who it is, what it records, and the way to it.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::extract::ws::Message;
use runtime::auth::Principal;
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

use super::replies;
use crate::commands::traces::frames::{Kind, Said};

/// Traces of one connection that have begun and not ended, and names of them: the newest.
const MOST_TRACES: usize = 256;
const MOST_NAMES: usize = 64;
/// How long a client has to show that it is there before it gets a command; it answers within milliseconds.
const ANSWER: Duration = Duration::from_secs(2);
/// What the client puts before the name of what it runs again.
const AGAIN: [&str; 2] = ["Fork: ", "Replay: "];

pub struct Client {
    /// Ordered by time.
    pub id: Uuid,
    pub tenant: String,
    /// Whose connections count together.
    pub counted_as: String,
    pub acks: bool,
    pub resumable: bool,
    recorded: Mutex<Recorded>,
    out: mpsc::Sender<Message>,
    pongs: watch::Sender<u64>,
}

#[derive(Default)]
struct Recorded {
    traces: VecDeque<String>,
    names: VecDeque<String>,
}

impl Client {
    pub fn new(principal: &Principal, acks: bool, resumable: bool, out: mpsc::Sender<Message>) -> Client {
        let counted_as = match principal.key {
            Some(key) => format!("key\0{}\0{}", principal.tenant, key.id),
            None => format!("user\0{}", principal.limit_key()),
        };
        Client {
            id: Uuid::now_v7(),
            tenant: principal.tenant.clone(),
            counted_as,
            acks,
            resumable,
            recorded: Mutex::default(),
            out,
            pongs: watch::Sender::new(0),
        }
    }

    /// Of what was recorded: which traces are under way, and by what names.
    pub fn heard(&self, said: &Said) {
        let (Kind::TraceStarted | Kind::TraceEnded, Some(id)) = (said.kind, &said.trace_id) else { return };
        let mut recorded = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        recorded.traces.retain(|trace| trace != id);
        if said.kind == Kind::TraceStarted {
            newest(&mut recorded.traces, id.clone(), MOST_TRACES);
        }
        if let Some(name) = said.trace.name.as_deref().filter(|_| self.resumable) {
            let name = original_name(name).to_owned();
            recorded.names.retain(|known| *known != name);
            newest(&mut recorded.names, name, MOST_NAMES);
        }
    }

    pub fn records(&self, trace_id: &str) -> bool {
        self.recorded.lock().unwrap_or_else(PoisonError::into_inner).traces.iter().any(|trace| trace == trace_id)
    }

    pub fn has_recorded(&self, name: &str) -> bool {
        self.recorded.lock().unwrap_or_else(PoisonError::into_inner).names.iter().any(|known| known == name)
    }

    /// Waits for its turn; what a client that has gone is told is lost with it.
    pub async fn tell(&self, message: Message) {
        let _ = self.out.send(message).await;
    }

    /// Whether there was room to tell it at once.
    pub fn tell_now(&self, message: Message) -> bool {
        match self.out.try_send(message) {
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => true,
            Err(mpsc::error::TrySendError::Full(_)) => false,
        }
    }

    pub fn ponged(&self) {
        self.pongs.send_modify(|count| *count += 1);
    }

    /// Whether it answers a ping.
    pub async fn is_there(&self) -> bool {
        let mut pongs = self.pongs.subscribe();
        if self.out.is_closed() || !self.tell_now(replies::ping()) {
            return false;
        }
        tokio::time::timeout(ANSWER, pongs.changed()).await.is_ok_and(|changed| changed.is_ok())
    }

    /// Whether it was told a command.
    pub async fn command(&self, frame: String) -> bool {
        tokio::time::timeout(ANSWER, self.out.send(Message::text(frame))).await.is_ok_and(|sent| sent.is_ok())
    }
}

fn newest(kept: &mut VecDeque<String>, one: String, most: usize) {
    kept.push_back(one);
    if kept.len() > most {
        kept.pop_front();
    }
}

/// Under what name the client knows the function that made a trace of this name.
pub fn original_name(mut name: &str) -> &str {
    while let Some(rest) = AGAIN.iter().find_map(|prefix| name.strip_prefix(prefix)) {
        name = rest;
    }
    name
}

#[cfg(test)]
mod tests {
    use super::super::frame::{self, Frame};
    use super::*;

    const TRACE: &str = "0b6c2f6e-8a0e-4a53-9d0e-3f6a5f1f7a01";

    #[test]
    fn what_it_records_is_known_until_it_ends() {
        let principal =
            Principal { tenant: "acme".into(), user: "ann".into(), org: None, role: "member".into(), key: None };
        let client = Client::new(&principal, true, true, mpsc::channel(1).0);
        let hear = |kind: &str| {
            let text = format!(r#"{{"type":"{kind}","data":{{"id":"{TRACE}","name":"Fork: Replay: agent"}}}}"#);
            let Frame::Said(said, _) = frame::read(&text) else { panic!("refused") };
            client.heard(&said);
        };
        hear("trace_started");
        hear("trace_started");
        assert!(client.records(TRACE) && client.has_recorded("agent") && !client.has_recorded("Fork: agent"));
        hear("trace_ended");
        assert!(!client.records(TRACE) && client.has_recorded("agent"));
    }
}
