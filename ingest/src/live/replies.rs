//! The server's frames.

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes};
use serde_json::json;
use serde_json::value::RawValue;

/// By what a client knows a frame of its own again: JSON as it was sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Token {
    pub id: Option<String>,
    pub seq: Option<String>,
}

impl Token {
    /// None: the frame says nothing that an ack could name.
    pub fn ack(&self) -> Option<Message> {
        let id = self.id.as_deref().unwrap_or("null");
        match (&self.id, &self.seq) {
            (None, None) => None,
            (_, Some(seq)) => Some(Message::text(format!(r#"{{"type":"ack","id":{id},"seq":{seq}}}"#))),
            (_, None) => Some(Message::text(format!(r#"{{"type":"ack","id":{id}}}"#))),
        }
    }
}

pub fn auth_ok() -> Message {
    Message::text(r#"{"type":"auth_ok"}"#)
}

pub fn ping() -> Message {
    Message::text(r#"{"type":"ping"}"#)
}

pub fn error(text: &str) -> Message {
    Message::text(json!({ "type": "error", "error": text }).to_string())
}

/// `resume`, `replay` or `halt`.
pub fn command(kind: &str, data: &RawValue) -> String {
    format!(r#"{{"type":"{kind}","data":{}}}"#, data.get())
}

/// Why a connection ends.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// The client went.
    Gone,
    Unauthorized(String),
    /// No pong.
    Silent,
    /// It sends more than can be kept, or nothing can be kept.
    Later(&'static str),
    /// This node stops.
    Restart,
    TooLarge,
}

/// A control frame holds 125 bytes, two of them for the code.
const LONGEST_REASON: usize = 120;

impl Ending {
    pub fn code(&self) -> u16 {
        match self {
            Ending::Gone => 1005,
            Ending::Unauthorized(_) => 4001,
            Ending::Silent => 4002,
            Ending::Later(_) => 1013,
            Ending::Restart => 1012,
            Ending::TooLarge => 1009,
        }
    }

    pub fn frame(&self) -> Message {
        let reason = match self {
            Ending::Gone => return Message::Close(None),
            Ending::Unauthorized(why) => why.as_str(),
            Ending::Silent => "The ping was not answered",
            Ending::Later(why) => why,
            Ending::Restart => "The server restarts: come back",
            Ending::TooLarge => "The frame is too large to be read",
        };
        let end = reason.floor_char_boundary(LONGEST_REASON.min(reason.len()));
        Message::Close(Some(CloseFrame { code: self.code(), reason: Utf8Bytes::from(&reason[..end]) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ack_names_what_the_frame_named() {
        let ack = |id: Option<&str>, seq: Option<&str>| {
            let token = Token { id: id.map(str::to_owned), seq: seq.map(str::to_owned) };
            token.ack().map(|message| message.into_text().unwrap().to_string())
        };
        assert_eq!(ack(Some("\"a\""), Some("7")).unwrap(), r#"{"type":"ack","id":"a","seq":7}"#);
        assert_eq!(ack(None, Some("7")).unwrap(), r#"{"type":"ack","id":null,"seq":7}"#);
        assert_eq!(ack(Some("\"a\""), None).unwrap(), r#"{"type":"ack","id":"a"}"#);
        assert_eq!(ack(None, None), None);
    }

    #[test]
    fn a_reason_fits_into_its_frame() {
        let Message::Close(Some(frame)) = Ending::Unauthorized("ä".repeat(100)).frame() else { panic!("no reason") };
        assert_eq!((frame.code, frame.reason.len()), (4001, 120));
    }
}
