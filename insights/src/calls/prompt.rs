//! Hashes of a prompt, of its beginnings, and of what a call was parametrised with.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::parts::parts;

/// In bytes. No provider caches less than 1,024 tokens.
const SHORTEST_HEAD: usize = 2_048;
/// Beginnings that end with one of so many first messages; besides, those whose length doubles.
const MESSAGES: usize = 8;
const DOUBLINGS: u32 = 8;

/// What a call's answer depends on, where a client records it beside the prompt.
const PARAMETERS: [&str; 17] = [
    "frequency_penalty",
    "max_completion_tokens",
    "max_output_tokens",
    "max_tokens",
    "n",
    "presence_penalty",
    "reasoning_effort",
    "response_format",
    "seed",
    "stop",
    "stop_sequences",
    "temperature",
    "thinking",
    "tool_choice",
    "tools",
    "top_k",
    "top_p",
];

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prompt {
    /// Never 0.
    pub hash: u64,
    /// In bytes of what is hashed.
    pub length: u32,
    /// Shortest first; never the whole.
    pub heads: Vec<Head>,
}

/// A beginning of a prompt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Head {
    pub hash: u64,
    pub length: u32,
}

pub fn prompt(input: &str) -> Prompt {
    let whole = Prompt { hash: not_zero(xxh3_64(input.as_bytes())), length: length(input.len()), heads: Vec::new() };
    if input.len() < SHORTEST_HEAD {
        return whole;
    }
    let parts = parts(input);
    let total = parts.iter().map(|part| part.len() + 1).sum::<usize>();
    let mut scan = Scan { hasher: Xxh3::new(), at: 0, rung: SHORTEST_HEAD, heads: Vec::new(), total };
    for (place, part) in parts.iter().enumerate() {
        scan.feed(part.as_bytes());
        // Between pieces, so that they do not run together.
        scan.feed(b"\n");
        if place < MESSAGES {
            scan.mark();
        }
    }
    Prompt { length: length(total), heads: scan.heads, ..whole }
}

/// Of a span's metadata; 0 where there are none.
pub fn parameters(metadata: &str) -> u64 {
    let Ok(fields) = serde_json::from_str::<BTreeMap<String, &RawValue>>(metadata) else { return 0 };
    let mut known = PARAMETERS.iter().filter_map(|name| Some((name, fields.get(*name)?))).peekable();
    if known.peek().is_none() {
        return 0;
    }
    let mut hasher = Xxh3::new();
    for (name, value) in known {
        hasher.update(name.as_bytes());
        hasher.update(value.get().as_bytes());
        hasher.update(b"\n");
    }
    not_zero(hasher.digest())
}

/// The same prompt with the same parameters; 0 where the prompt is not known.
pub fn call(prompt: u64, parameters: u64) -> u64 {
    if prompt == 0 {
        return 0;
    }
    let mut bytes = [0u8; 16];
    bytes[..8].copy_from_slice(&prompt.to_le_bytes());
    bytes[8..].copy_from_slice(&parameters.to_le_bytes());
    not_zero(xxh3_64(&bytes))
}

struct Scan {
    hasher: Xxh3,
    at: usize,
    /// The next length to mark within a piece.
    rung: usize,
    heads: Vec<Head>,
    total: usize,
}

impl Scan {
    fn feed(&mut self, mut bytes: &[u8]) {
        while self.rung <= SHORTEST_HEAD << DOUBLINGS && self.at + bytes.len() >= self.rung {
            let (before, after) = bytes.split_at(self.rung - self.at);
            self.add(before);
            self.mark();
            self.rung *= 2;
            bytes = after;
        }
        self.add(bytes);
    }

    fn add(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.at += bytes.len();
    }

    fn mark(&mut self) {
        let at = length(self.at);
        let is_new = self.heads.last().is_none_or(|head| head.length != at);
        if is_new && self.at >= SHORTEST_HEAD && self.at < self.total {
            self.heads.push(Head { hash: not_zero(self.hasher.digest()), length: at });
        }
    }
}

fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// 0 stands for what is not known.
fn not_zero(hash: u64) -> u64 {
    hash.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(instructions: &str, question: &str) -> String {
        format!(
            r#"{{"messages":[{{"role":"system","content":"{instructions}"}},{{"role":"user","content":"{question}"}}]}}"#
        )
    }

    fn shared(one: &str, other: &str) -> u32 {
        let (one, other) = (prompt(one), prompt(other));
        let same = one.heads.iter().filter(|head| other.heads.contains(head));
        same.map(|head| head.length).max().unwrap_or(0)
    }

    #[test]
    fn prompts_share_their_head_up_to_the_message_that_differs() {
        let long = "Be brief. ".repeat(600);
        let (one, other) = (messages(&long, "Where?"), messages(&long, "When?"));
        let head = format!(r#"{{"role":"system","content":"{long}"}}"#).len() as u32 + 1;
        assert_eq!(shared(&one, &other), head);
        assert_ne!(prompt(&one).hash, prompt(&other).hash);
        // As a client records the arguments of a call: the same pieces.
        let arguments = format!(r#"{{"args":[],"kwargs":{one}}}"#);
        assert_eq!(shared(&arguments, &other), head);
        // Tools come before the messages, wherever they stand.
        let tools = |tools: &str| one.replacen('{', &format!(r#"{{"tools":["{tools}"],"#), 1);
        assert_eq!(shared(&tools("a"), &tools("b")), 0);
    }

    #[test]
    fn within_one_text_heads_have_lengths_that_double() {
        let text = |rest: &str| format!("\"{}{rest}\"", "x".repeat(9_000));
        assert_eq!(shared(&text("a"), &text("b")), 8_192);
        assert_eq!(prompt(&text("a")).heads.iter().map(|head| head.length).collect::<Vec<_>>(), [2_048, 4_096, 8_192]);
    }

    #[test]
    fn short_prompts_have_no_heads_and_the_whole_is_none() {
        assert!(prompt(&messages("Be brief.", "Where?")).heads.is_empty());
        let whole = prompt(&format!("[\"{}\"]", "x".repeat(3_000)));
        assert_eq!(whole.heads.iter().map(|head| head.length).collect::<Vec<_>>(), [2_048]);
    }

    #[test]
    fn parameters_are_what_an_answer_depends_on() {
        let of = |text: &str| parameters(text);
        assert_eq!(of(r#"{"temperature":0.2,"request":"a"}"#), of(r#"{"request":"b","temperature":0.2}"#));
        assert_ne!(of(r#"{"temperature":0.2}"#), of(r#"{"temperature":0.3}"#));
        assert_eq!([of("{}"), of("not json"), of(r#"{"request":"a"}"#)], [0, 0, 0]);
        assert_eq!(call(0, 5), 0);
        assert_ne!(call(7, 5), call(7, 6));
    }
}
