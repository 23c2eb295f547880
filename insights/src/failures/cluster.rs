//! Signatures that differ only in values are one pattern. The grouping is a function of the set of signatures: their order
//! and numbers do not matter.

use std::collections::{BTreeMap, BTreeSet};

use super::pieces::{ANY, Piece, is_mark, join, mask_at};

/// The share of words that signatures of one pattern have in common, at least.
const ALIKE: f64 = 0.5;
/// Words of a place are values if this share of the signatures has its own, and there are so many.
const VARIOUS: f64 = 0.7;
const FEWEST_VALUES: usize = 3;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    pub pattern: String,
    /// Places of its signatures in what was given.
    pub members: Vec<usize>,
}

impl Cluster {
    /// The same wherever and whenever the pattern is found.
    pub fn id(&self) -> u64 {
        xxhash_rust::xxh3::xxh3_64(self.pattern.as_bytes())
    }
}

/// Groups signatures, which must be distinct.
pub fn clusters(signatures: &[&str]) -> Vec<Cluster> {
    let pieces: Vec<Vec<Piece<'_>>> = signatures.iter().map(|signature| split(signature)).collect();
    let mut by_length: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (place, pieces) in pieces.iter().enumerate() {
        by_length.entry(pieces.len()).or_default().push(place);
    }
    let mut found: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (length, members) in by_length {
        let mut open = vec![members];
        while let Some(members) = open.pop() {
            match keyword(&pieces, &members, length) {
                Some(place) => {
                    let mut parts: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
                    for member in members {
                        parts.entry(value(&pieces[member][place])).or_default().push(member);
                    }
                    open.extend(parts.into_values());
                }
                // Pieces that are told apart can be written the same: a pattern has one cluster.
                None => found.entry(pattern(&pieces, &members, length)).or_default().extend(members),
            }
        }
    }
    found.into_iter().map(|(pattern, members)| Cluster { pattern, members }).collect()
}

/// The place at which these signatures fall apart into patterns, if they do.
fn keyword(pieces: &[Vec<Piece<'_>>], members: &[usize], length: usize) -> Option<usize> {
    if members.len() == 1 {
        return None;
    }
    let (mut words, mut constant_words) = (0usize, 0usize);
    let mut all_values = true;
    let mut fewest: Option<(usize, usize)> = None;
    for place in 0..length {
        let found: BTreeSet<&str> = members.iter().map(|member| value(&pieces[*member][place])).collect();
        let mark = found.iter().any(|text| text.len() == 1 && text.bytes().all(is_mark));
        let masked = found.contains(ANY);
        if found.len() == 1 {
            words += usize::from(!mark && !masked);
            constant_words += usize::from(!mark && !masked);
            continue;
        }
        words += 1;
        // Sentences differ in marks, in verbs and states, and in how they begin, and values do not.
        let status = found.iter().any(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        if mark || status || found.iter().all(|text| is_verb(text) || is_state(text)) || (place == 0 && !masked) {
            return Some(place);
        }
        let assigned = || place > 0 && members.iter().all(|member| pieces[*member][place - 1].text == "=");
        let various = found.len() >= FEWEST_VALUES && found.len() as f64 >= members.len() as f64 * VARIOUS;
        all_values &= masked || various || assigned() || found.iter().all(|text| is_name(text));
        if fewest.is_none_or(|(_, fewest)| found.len() < fewest) {
            fewest = Some((place, found.len()));
        }
    }
    let (place, _) = fewest?;
    let alike = constant_words as f64 / words.max(1) as f64 >= ALIKE;
    if alike && all_values { None } else { Some(place) }
}

/// All masks are one value: whether an id has a letter in it is chance.
fn value<'a>(piece: &Piece<'a>) -> &'a str {
    if piece.is_mask() { ANY } else { piece.text }
}

fn is_verb(text: &str) -> bool {
    text.ends_with("ed") || text.ends_with("ing")
}

fn is_state(text: &str) -> bool {
    text.len() > 1 && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
}

/// Looks like a name that somebody gave, not like a word.
fn is_name(text: &str) -> bool {
    let lower = text.chars().any(char::is_lowercase);
    lower && (text.contains(['_', '.', '-']) || text.chars().skip(1).any(char::is_uppercase))
}

fn pattern(pieces: &[Vec<Piece<'_>>], members: &[usize], length: usize) -> String {
    let Some(first) = members.first() else { return String::new() };
    let merged: Vec<Piece<'_>> = (0..length)
        .map(|place| {
            let piece = pieces[*first][place];
            let same = members.iter().all(|member| pieces[*member][place].text == piece.text);
            let spaced = members.iter().any(|member| pieces[*member][place].spaced);
            Piece { text: if same { piece.text } else { ANY }, spaced }
        })
        .collect();
    join(&merged)
}

fn split(signature: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut at = 0;
    let mut spaced = false;
    while at < signature.len() {
        let rest = &signature[at..];
        let byte = rest.as_bytes()[0];
        if byte == b' ' {
            spaced = true;
            at += 1;
            continue;
        }
        let length = match mask_at(rest) {
            Some(mask) => mask.len(),
            None if is_mark(byte) => 1,
            None => rest.bytes().position(|byte| byte == b' ' || is_mark(byte)).unwrap_or(rest.len()),
        };
        pieces.push(Piece { text: &rest[..length], spaced: std::mem::take(&mut spaced) });
        at += length;
    }
    pieces
}
