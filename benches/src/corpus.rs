//! Real prompts and completions, and random cuts of them.

use anyhow::{Context, ensure};
use serde::Deserialize;

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

/// SplitMix64: quick, and the same bodies again for the same seed.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64, index: u64) -> Random {
        Random(seed ^ index.wrapping_mul(0xd134_2543_de82_ef95))
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    /// Between 0 and 1, never 0.
    pub fn unit(&mut self) -> f64 {
        ((self.next() >> 11) + 1) as f64 / (1u64 << 53) as f64
    }

    pub fn uuid(&mut self) -> uuid::Uuid {
        let bytes = u128::from(self.next()) << 64 | u128::from(self.next());
        uuid::Builder::from_random_bytes(bytes.to_be_bytes()).into_uuid()
    }
}
