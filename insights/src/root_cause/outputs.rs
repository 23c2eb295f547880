//! What an output or an argument is worth, by its beginning.

use super::input::Span;
use super::words::words;

/// Keys and marks of an answer that has nothing in it.
const FRAME: [&str; 22] = [
    "role",
    "assistant",
    "content",
    "text",
    "message",
    "messages",
    "choices",
    "index",
    "0",
    "finish",
    "reason",
    "stop",
    "null",
    "none",
    "output",
    "type",
    "answer",
    "result",
    "results",
    "parts",
    "model",
    "end",
];

/// Recorded, and without anything in it.
pub(super) fn is_empty(span: &Span) -> bool {
    match &span.output {
        Some(output) => is_blank(output),
        None => span.is_llm() && span.output_tokens == Some(0),
    }
}

pub(super) fn is_blank(output: &str) -> bool {
    output.len() <= 400 && words(output).split_ascii_whitespace().all(|word| FRAME.contains(&word))
}

/// Begins as JSON and does not go on as such.
pub(super) fn is_broken_json(text: &str) -> bool {
    let text = text.trim();
    if !text.starts_with(['{', '[']) {
        return false;
    }
    let mut open = Vec::new();
    let mut quoted = false;
    let mut escaped = false;
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'{' => open.push(b'}'),
            b'[' => open.push(b']'),
            b'}' | b']' if open.pop() != Some(byte) => return true,
            _ => {}
        }
    }
    quoted || !open.is_empty()
}
