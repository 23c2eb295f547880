//! A text's signature: its words, with masks for ids, numbers, addresses, paths, quoted text and JSON. A pure function of
//! the text.

use super::message::message;
use super::pieces::{Piece, is_mark, join, mask_at};
use super::values::{closing, hexes, is_date, is_id, is_number, is_port, object, path, unit, value_of};

const MOST_PIECES: usize = 160;
const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

pub fn signature(text: &str) -> String {
    let message = message(text);
    let mut scan = Scan { text: &message, at: 0, spaced: false, pieces: Vec::with_capacity(32) };
    while scan.at < scan.text.len() && scan.pieces.len() < MOST_PIECES {
        scan.step();
    }
    join(&scan.pieces)
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
    spaced: bool,
    pieces: Vec<Piece<'a>>,
}

impl<'a> Scan<'a> {
    fn step(&mut self) {
        let rest = &self.text[self.at..];
        let Some(&byte) = rest.as_bytes().first() else { return };
        if byte.is_ascii_whitespace() {
            self.at += 1;
            self.spaced = true;
        } else if let Some((mask, length)) = self.value(rest) {
            self.mask(mask, length);
        } else if let Some(length) = object(rest) {
            self.object(&rest[..length]);
            self.at += length;
        } else if (byte == b'<' && rest[1..].starts_with(|c: char| c.is_ascii_digit())) || self.annotates(byte) {
            // "<5" is a value too.
            self.at += 1;
        } else if is_mark(byte) {
            self.push(1);
        } else {
            self.word(rest);
        }
    }

    /// A value that begins here and may hold marks and spaces.
    fn value(&self, rest: &str) -> Option<(&'static str, usize)> {
        if let Some(mask) = mask_at(rest) {
            return Some((mask, mask.len()));
        }
        if !self.opens() {
            return None;
        }
        if let Some(length) = self.quoted(rest) {
            return Some(("<str>", length));
        }
        if let Some(length) = hexes(rest) {
            return Some(("<id>", length));
        }
        let length = path(rest)?;
        Some((if rest[..length].contains("://") { "<url>" } else { "<path>" }, length))
    }

    /// Whether something begins here; a quote does not within a word, as in "can't".
    fn opens(&self) -> bool {
        self.at == 0 || !self.text.as_bytes()[self.at - 1].is_ascii_alphanumeric()
    }

    /// The length of a quoted text that is a value. A quoted request line is not: its method tells failures apart.
    fn quoted(&self, rest: &str) -> Option<usize> {
        let quote = rest.bytes().next().filter(|byte| matches!(byte, b'"' | b'\'' | b'`'))?;
        let requests =
            METHODS.iter().any(|method| rest[1..].strip_prefix(method).is_some_and(|rest| rest.starts_with(' ')));
        if requests { None } else { closing(rest, quote).map(|end| end + 1) }
    }

    fn push(&mut self, length: usize) {
        let text = &self.text[self.at..self.at + length];
        self.pieces.push(Piece { text, spaced: self.spaced });
        self.spaced = false;
        self.at += length;
    }

    /// A mask, unless the one before goes on: a list of values, an address and its port.
    fn mask(&mut self, mask: &'static str, length: usize) {
        self.at += length;
        let spaced = std::mem::take(&mut self.spaced);
        let last = self.pieces.len();
        if last >= 1 && self.pieces[last - 1].is_mask() {
            return;
        }
        let separates = |piece: &Piece<'_>| matches!(piece.text, "," | ":" | "/" | "-" | ";" | "x" | "." | "#" | "@");
        if last >= 2 && separates(&self.pieces[last - 1]) && self.pieces[last - 2].is_mask() {
            self.pieces.pop();
            return;
        }
        self.pieces.push(Piece { text: mask, spaced });
    }

    /// Parentheses with nothing but a value, or nothing, belong to the value before them.
    fn annotates(&mut self, byte: u8) -> bool {
        if byte != b')' {
            return false;
        }
        let last = self.pieces.len();
        let inner = usize::from(last >= 1 && self.pieces[last - 1].is_mask());
        let Some(open) = last.checked_sub(inner + 1).filter(|open| *open > 0) else { return false };
        let annotates = self.pieces[open].text == "(" && self.pieces[open].spaced && self.pieces[open - 1].is_mask();
        if annotates {
            self.pieces.truncate(open);
            self.spaced = false;
        }
        annotates
    }

    fn word(&mut self, rest: &'a str) {
        let end = rest.bytes().position(|byte| byte.is_ascii_whitespace() || is_mark(byte)).unwrap_or(rest.len());
        let end = end.max(rest.chars().next().map_or(1, char::len_utf8));
        // A full stop ends a sentence, not a word.
        let word = rest[..end].trim_end_matches('.');
        let end = if word.is_empty() { end } else { word.len() };
        let word = &rest[..end];
        let after = &rest[end..];
        if self.is_status(word) {
            self.push(end);
        } else if is_number(word) {
            self.mask("<num>", end + unit(after));
        } else if is_id(word) || (word.contains('.') && is_port(after)) {
            self.mask("<id>", end);
        } else if is_date(word, after) {
            self.mask("<time>", end);
        } else {
            self.push(end);
        }
    }

    /// An HTTP status tells failures apart.
    fn is_status(&self, word: &str) -> bool {
        word.len() == 3
            && matches!(word.as_bytes()[0], b'4' | b'5')
            && word.bytes().all(|byte| byte.is_ascii_digit())
            && self.pieces.iter().rev().take(3).any(|piece| {
                ["status", "code", "error", "http", "status_code", "response"]
                    .iter()
                    .any(|name| piece.text.eq_ignore_ascii_case(name))
            })
    }

    /// Of an object its type, code and message; else a mask.
    fn object(&mut self, object: &'a str) {
        let spaced = self.spaced;
        let mut found = false;
        for key in ["type", "code", "message"] {
            let Some(value) = value_of(object, key) else { continue };
            found = true;
            let mut inner = Scan { text: value, at: 0, spaced: true, pieces: Vec::new() };
            while inner.at < inner.text.len() && self.pieces.len() + inner.pieces.len() < MOST_PIECES {
                inner.step();
            }
            self.pieces.append(&mut inner.pieces);
        }
        if !found {
            self.spaced = spaced;
            self.mask("<json>", 0);
        }
        self.spaced = false;
    }
}
