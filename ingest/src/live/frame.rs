//! A client's frame, taken apart. What it lacks is said to the client; the connection lives on.

use runtime::Problem;
use serde_json::value::RawValue;

use super::replies::Token;
use crate::commands::traces::frames::{Kind, Said, said};
use crate::json::{Fields, scan_frame};

/// Longer ids are none of ours, and are not sent back.
const LONGEST_ID: usize = 128;
const LONGEST_NUMBER: usize = 20;

#[derive(Debug)]
pub enum Frame {
    Pong,
    Said(Box<Said>, Token),
    /// What is wrong with it.
    Bad(String, Token),
}

pub fn read(text: &str) -> Frame {
    taken_apart(text).unwrap_or_else(|fault| Frame::Bad(fault, Token { id: None, seq: last_number(text) }))
}

/// Of a frame that is too large to be looked at.
pub fn too_large(text: &str, most: usize) -> Frame {
    let fault = format!("The frame has {} bytes, more than {most}: it is not recorded", text.len());
    Frame::Bad(fault, Token { id: None, seq: last_number(text) })
}

fn taken_apart(text: &str) -> Result<Frame, String> {
    let scanned = scan_frame(text)?;
    let fields: Fields<'_> = serde_json::from_str(&scanned.text).map_err(|cause| {
        if cause.is_data() { "The frame is not a JSON object" } else { "The frame is not valid JSON" }.to_owned()
    })?;
    let kind = fields.get("type").and_then(|raw| serde_json::from_str::<String>(raw.get()).ok()).unwrap_or_default();
    if kind == "pong" {
        return Ok(Frame::Pong);
    }
    let data = fields.get("data").map(|raw| serde_json::from_str::<Fields<'_>>(raw.get()));
    let id = data.as_ref().and_then(|data| short(data.as_ref().ok()?.get("id")?, LONGEST_ID));
    let token = Token { id, seq: fields.get("seq").and_then(number) };
    let Some(kind) = Kind::parse(&kind) else {
        let kinds = Kind::ALL.map(Kind::as_str).join(", ");
        return Ok(Frame::Bad(format!("type is not one of {kinds}"), token));
    };
    let fault = |what: &str| format!("{}: {what}", kind.as_str());
    Ok(match data {
        None => Frame::Bad(fault("data is missing"), token),
        Some(Err(_)) => Frame::Bad(fault("data is not a JSON object"), token),
        Some(Ok(data)) => match said(kind, data, &scanned.repairs) {
            Ok(said) => Frame::Said(Box::new(said), token),
            Err(faults) => Frame::Bad(fault(&Problem::faults(faults).message), token),
        },
    })
}

fn short(raw: &RawValue, longest: usize) -> Option<String> {
    (raw.get().len() <= longest).then(|| raw.get().to_owned())
}

fn number(raw: &RawValue) -> Option<String> {
    short(raw, LONGEST_NUMBER).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Clients write a frame's number last.
fn last_number(text: &str) -> Option<String> {
    let (_, rest) = text.rsplit_once("\"seq\"")?;
    let rest = rest.trim_start().strip_prefix(':')?.trim_start();
    let digits: String = rest.chars().take_while(char::is_ascii_digit).take(LONGEST_NUMBER).collect();
    (!digits.is_empty()).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bad(text: &str) -> (String, Token) {
        match read(text) {
            Frame::Bad(fault, token) => (fault, token),
            other => panic!("{other:?}"),
        }
    }

    fn token(id: Option<&str>, seq: Option<&str>) -> Token {
        Token { id: id.map(str::to_owned), seq: seq.map(str::to_owned) }
    }

    #[test]
    fn what_python_sends_is_repaired_and_noted() {
        let text =
            r#"{"type":"span_ended","data":{"id":"00f067aa0ba902b7","output":{"v":NaN},"error":"\ud800"},"seq":7}"#;
        let Frame::Said(said, named) = read(text) else { panic!("refused") };
        assert_eq!(named, token(Some("\"00f067aa0ba902b7\""), Some("7")));
        assert_eq!(said.trace.spans[0].output.as_deref(), Some(r#"{"v":null}"#));
        assert_eq!(
            said.trace.warnings,
            [
                "span 00f067aa0ba902b7: output held a number that is not finite, kept as null",
                "span 00f067aa0ba902b7: error held a lone surrogate, kept as U+FFFD",
            ]
        );
    }

    #[test]
    fn a_bad_frame_says_what_is_wrong_and_keeps_its_number() {
        assert_eq!(bad("[1,2]"), ("The frame is not a JSON object".to_owned(), token(None, None)));
        assert_eq!(bad("{\"seq\":3").0, "The frame is not valid JSON");
        let (fault, named) = bad(r#"{"type":"span_started","data":{"id":"x","trace_id":7},"seq":3}"#);
        assert!(fault.starts_with("span_started: span_type is missing; started_at is missing; trace_id"), "{fault}");
        assert_eq!(named, token(Some("\"x\""), Some("3")));
        assert_eq!(bad(r#"{"type":"auth","seq":4}"#).1, token(None, Some("4")));
        assert_eq!(
            bad(r#"{"type":"trace_ended","seq":-1}"#),
            ("trace_ended: data is missing".to_owned(), token(None, None))
        );
        let nested =
            format!(r#"{{"type":"trace_ended","data":{{"input":{}{}}},"seq":9}}"#, "[".repeat(300), "]".repeat(300));
        assert_eq!(bad(&nested).1, token(None, Some("9")));
        assert!(matches!(read(r#"{"type":"pong"}"#), Frame::Pong));
    }

    #[test]
    fn what_is_too_large_is_answered_by_its_number() {
        let Frame::Bad(fault, named) = too_large(r#"{"type":"trace_ended","data":{"output":"seq"}, "seq" : 12}"#, 10)
        else {
            panic!("taken")
        };
        assert_eq!(named, token(None, Some("12")));
        assert!(fault.contains("more than 10"), "{fault}");
    }
}
