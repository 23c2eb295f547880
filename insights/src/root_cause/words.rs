//! A failure's text as words: lower case, without stack frames and punctuation, names in camel or snake case taken apart.

use xxhash_rust::xxh3::xxh3_64;

use crate::failures::message::message;

/// What of a text is looked at, at either end.
const MOST_BYTES: usize = 2048;

/// Words that say only that something failed.
const EMPTY: [&str; 26] = [
    "error",
    "errors",
    "exception",
    "failed",
    "failure",
    "fail",
    "the",
    "and",
    "for",
    "with",
    "code",
    "message",
    "type",
    "none",
    "null",
    "true",
    "false",
    "run",
    "step",
    "agent",
    "occurred",
    "while",
    "this",
    "was",
    "has",
    "not",
];

/// Each word between spaces, also before the first and after the last.
pub(super) fn words(text: &str) -> String {
    // What went wrong often stands at the end of a long text.
    let (head, tail) = ends(text);
    let mut words = String::with_capacity(head.len() + tail.len() + 16);
    words.push(' ');
    for part in [head, tail] {
        append(&mut words, &message(part));
    }
    words
}

fn ends(text: &str) -> (&str, &str) {
    if text.len() <= 2 * MOST_BYTES {
        return (text, "");
    }
    (&text[..text.floor_char_boundary(MOST_BYTES)], &text[text.ceil_char_boundary(text.len() - MOST_BYTES)..])
}

fn append(words: &mut String, text: &str) {
    let mut before = ' ';
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if !letter.is_alphanumeric() {
            // An apostrophe within a word, as in "can't", is left out.
            let within = matches!(letter, '\'' | '’')
                && before.is_alphanumeric()
                && letters.peek().is_some_and(|next| matches!(next, 't' | 's'));
            if !within && !words.ends_with(' ') {
                words.push(' ');
            }
            before = letter;
            continue;
        }
        let begins = letter.is_uppercase()
            && (before.is_lowercase()
                || before.is_uppercase() && letters.peek().is_some_and(|next| next.is_lowercase()));
        if begins && !words.ends_with(' ') {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
        before = letter;
    }
    if !words.ends_with(' ') {
        words.push(' ');
    }
}

/// The words that tell a text from others, by their hashes in order. Numbers are not among them, but for HTTP's statuses.
pub(super) fn telling(words: &str) -> Vec<u64> {
    let mut telling: Vec<u64> =
        words.split(' ').filter(|word| is_telling(word)).map(|word| xxh3_64(word.as_bytes())).collect();
    telling.sort_unstable();
    telling.dedup();
    telling
}

fn is_telling(word: &str) -> bool {
    let number = word.bytes().any(|byte| byte.is_ascii_digit());
    if number { status(word).is_some() } else { word.len() > 2 && !EMPTY.contains(&word) }
}

pub(super) fn status(word: &str) -> Option<u16> {
    (word.len() == 3).then(|| word.parse().ok())?.filter(|status| (400..600).contains(status))
}

/// The part that two texts share of the one with fewer telling words; none if one has nothing to tell.
pub(super) fn shared(a: &[u64], b: &[u64]) -> Option<f64> {
    let (fewer, more) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if fewer.is_empty() {
        return None;
    }
    Some(fewer.iter().filter(|word| more.binary_search(word).is_ok()).count() as f64 / fewer.len() as f64)
}
