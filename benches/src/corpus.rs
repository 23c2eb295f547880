//! Real prompts and completions, and random cuts of them.

use anyhow::{Context, ensure};
use serde::Deserialize;
use traffic::Random;

static PACKED: &[u8] = include_bytes!("../data/payloads.jsonl.zst");

#[derive(Deserialize)]
struct Exchange {
    messages: Vec<Message>,
    output: String,
}

#[derive(Deserialize)]
pub struct Message {
    pub role: String,
    pub content: String,
}

pub struct Corpus {
    messages: Vec<Message>,
    outputs: Vec<String>,
}

impl Corpus {
    pub fn shipped() -> anyhow::Result<Corpus> {
        let text = String::from_utf8(zstd::decode_all(PACKED)?)?;
        let mut corpus = Corpus { messages: Vec::new(), outputs: Vec::new() };
        for line in text.lines() {
            let exchange: Exchange = serde_json::from_str(line).context("a line of the payloads")?;
            corpus.messages.extend(exchange.messages);
            corpus.outputs.extend((!exchange.output.is_empty()).then_some(exchange.output));
        }
        ensure!(!corpus.messages.is_empty() && !corpus.outputs.is_empty(), "the payloads are empty");
        Ok(corpus)
    }

    /// Messages of a conversation with about so many bytes of content, each with the cut that is used of it.
    pub fn conversation(&self, random: &mut Random, bytes: usize) -> Vec<(&str, &str)> {
        let mut left = bytes.max(1);
        let mut found = Vec::new();
        while left > 0 {
            let message = &self.messages[random.below(self.messages.len())];
            let text = cut(&message.content, random, left);
            left = left.saturating_sub(text.len().max(1) + MESSAGE_FRAME);
            found.push((message.role.as_str(), text));
        }
        found
    }

    /// Completions one after another with about so many bytes.
    pub fn completion(&self, random: &mut Random, bytes: usize) -> String {
        let mut text = String::with_capacity(bytes);
        while text.len() < bytes {
            let output = &self.outputs[random.below(self.outputs.len())];
            text.push_str(cut(output, random, bytes - text.len()));
            text.push('\n');
        }
        text
    }
}

/// Bytes of JSON around a message's content.
const MESSAGE_FRAME: usize = r#"{"role":"system","content":""},"#.len();

/// The whole text, or where it is longer than asked for, a part that starts at a random place.
fn cut<'a>(text: &'a str, random: &mut Random, most: usize) -> &'a str {
    if text.len() <= most {
        return text;
    }
    let start = text.floor_char_boundary(random.below(text.len() - most + 1));
    &text[start..text.floor_char_boundary(start + most)]
}
