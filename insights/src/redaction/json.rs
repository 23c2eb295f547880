//! JSON, text by text: what is not taken out stays as it was sent, to the last digit, however deep it is nested.

use std::collections::HashMap;

use super::{Cause, Detector, LEFT_OUT, Path, Place, mask};
use crate::secrets;

/// Under a name that promises a secret, shorter ones are words.
const SHORTEST_SECRET: usize = 6;

/// The payload without what the detectors find and without the fields that `left_out` names; none where it stays as it is.
/// `json` is sound.
pub fn redact(json: &str, detectors: &[Detector], left_out: &[Path], places: &mut Vec<Place>) -> Option<String> {
    let mut reader = Reader {
        json,
        detectors,
        left_out,
        at: 0,
        kept: 0,
        written: String::new(),
        inside: Vec::new(),
        secret: HashMap::new(),
    };
    reader.read(places);
    if reader.written.is_empty() && reader.kept == 0 {
        return None;
    }
    reader.written.push_str(&json[reader.kept..]);
    Some(reader.written)
}

enum Level {
    /// With the name of the value that is read, once it is known.
    Object(Option<String>),
    Array(usize),
}

struct Reader<'a> {
    json: &'a str,
    detectors: &'a [Detector],
    left_out: &'a [Path],
    at: usize,
    /// Up to here the payload is written, as it is or otherwise.
    kept: usize,
    written: String,
    inside: Vec<Level>,
    /// Name → whether it promises a secret.
    secret: HashMap<String, bool>,
}

impl Reader<'_> {
    fn read(&mut self, places: &mut Vec<Place>) {
        while let Some(byte) = self.json.as_bytes().get(self.at).copied() {
            match byte {
                b' ' | b'\n' | b'\r' | b'\t' | b':' => self.at += 1,
                b',' => {
                    match self.inside.last_mut() {
                        Some(Level::Array(at)) => *at += 1,
                        Some(Level::Object(name)) => *name = None,
                        None => {}
                    }
                    self.at += 1;
                }
                b'}' | b']' => {
                    self.inside.pop();
                    self.at += 1;
                }
                b'"' if matches!(self.inside.last(), Some(Level::Object(None))) => self.name(places),
                _ if self.is_left_out() => {
                    let end = self.end_of_value();
                    self.replace(end, &quoted(LEFT_OUT));
                    places.push(Place { path: self.path(), cause: Cause::LeftOut });
                }
                b'{' => self.enter(Level::Object(None)),
                b'[' => self.enter(Level::Array(0)),
                b'"' => self.text(places),
                _ => self.at = self.end_of_value(),
            }
        }
    }

    fn enter(&mut self, level: Level) {
        self.inside.push(level);
        self.at += 1;
    }

    /// A name can be an address, too.
    fn name(&mut self, places: &mut Vec<Place>) {
        let end = self.end_of_text();
        let name = decoded(&self.json[self.at..end]);
        let (masked, found) = mask(&name, self.detectors);
        let masked = masked.into_owned();
        if let Some(Level::Object(is)) = self.inside.last_mut() {
            *is = Some(masked.clone());
        }
        if found.is_empty() {
            self.at = end;
        } else {
            self.replace(end, &quoted(&masked));
            self.note(found, places);
        }
    }

    fn text(&mut self, places: &mut Vec<Place>) {
        let end = self.end_of_text();
        let text = decoded(&self.json[self.at..end]);
        if self.is_secret(&text) {
            self.replace(end, &quoted("<secret>"));
            return self.note(vec![Detector::Keys], places);
        }
        let (masked, found) = mask(&text, self.detectors);
        if found.is_empty() {
            self.at = end;
        } else {
            self.replace(end, &quoted(&masked));
            self.note(found, places);
        }
    }

    fn note(&self, found: Vec<Detector>, places: &mut Vec<Place>) {
        let path = self.path();
        places.extend(found.into_iter().map(|detector| Place { path: path.clone(), cause: Cause::Detected(detector) }));
    }

    /// What stands under `password` or `api_key`. Numbers are counts.
    fn is_secret(&mut self, text: &str) -> bool {
        let Some(Level::Object(Some(name))) = self.inside.last() else { return false };
        let harmless =
            text.len() < SHORTEST_SECRET || text.starts_with('<') || text.bytes().all(|b| b.is_ascii_digit());
        if harmless || !self.detectors.contains(&Detector::Keys) {
            return false;
        }
        let promises = |name: &String| {
            let example = format!("{name}=example");
            secrets::mask(&example) != example
        };
        *self.secret.entry(name.clone()).or_insert_with_key(promises)
    }

    fn is_left_out(&self) -> bool {
        self.left_out.iter().any(|path| {
            path.len() == self.inside.len()
                && path.iter().zip(&self.inside).all(|(wanted, level)| match level {
                    _ if wanted == "*" => true,
                    Level::Object(name) => name.as_ref() == Some(wanted),
                    Level::Array(at) => wanted.parse::<usize>().ok() == Some(*at),
                })
        })
    }

    fn path(&self) -> String {
        let mut path = String::new();
        for level in &self.inside {
            match level {
                Level::Object(Some(name)) if path.is_empty() => path.push_str(name),
                Level::Object(Some(name)) => path.extend([".", name.as_str()]),
                Level::Object(None) => {}
                Level::Array(at) => path.push_str(&format!("[{at}]")),
            }
        }
        path
    }

    /// Puts something else in the place of what ends at `end`.
    fn replace(&mut self, end: usize, with: &str) {
        self.written.push_str(&self.json[self.kept..self.at]);
        self.written.push_str(with);
        (self.at, self.kept) = (end, end);
    }

    fn end_of_text(&self) -> usize {
        end_of_text(self.json, self.at)
    }

    fn end_of_value(&self) -> usize {
        let bytes = self.json.as_bytes();
        let (mut at, mut depth) = (self.at, 0_usize);
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'"' => at = end_of_text(self.json, at),
                b'{' | b'[' => (at, depth) = (at + 1, depth + 1),
                b'}' | b']' | b',' | b' ' | b'\n' | b'\r' | b'\t' if depth == 0 => return at,
                b'}' | b']' => (at, depth) = (at + 1, depth - 1),
                _ => {
                    at += 1;
                    continue;
                }
            }
            if depth == 0 {
                return at;
            }
        }
        at
    }
}

/// Behind the closing quotation mark of the text that begins at `at`.
fn end_of_text(json: &str, at: usize) -> usize {
    let bytes = json.as_bytes();
    let mut at = at + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn decoded(literal: &str) -> String {
    serde_json::from_str(literal).unwrap_or_default()
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redacted(json: &str, left_out: &[&str]) -> (String, Vec<String>) {
        let left_out: Vec<Path> = left_out.iter().map(|path| path.split('.').map(str::to_owned).collect()).collect();
        let mut places = Vec::new();
        let text = redact(json, &Detector::ALL, &left_out, &mut places);
        (text.unwrap_or_else(|| json.to_owned()), places.into_iter().map(|place| place.path).collect())
    }

    #[test]
    fn what_is_found_is_replaced_and_the_rest_stays_as_it_was_sent() {
        let json = r#"{ "n" : 0.10, "messages":[{"content":"Mail \"ann@example.com\"\n"},{"content":"none"}],
            "ann@example.com": true, "max_tokens": "4096000", "api_key": "correct horse", "token": "abc" }"#;
        let expected = json.replace("ann@example.com", "<email>").replace("correct horse", "<secret>");
        let (text, places) = redacted(json, &[]);
        assert_eq!(text, expected);
        assert_eq!(places, ["messages[0].content", "<email>", "api_key"]);
        assert_eq!(redact(r#"{"a":[1,"b",null]}"#, &Detector::ALL, &[], &mut Vec::new()), None);
    }

    #[test]
    fn fields_are_left_out_by_their_path() {
        let json = r#"{"a":{"b":[1,{"c":"x]"}],"d":2},"l":[{"s":"k"},{"s":[]}],"b":3}"#;
        for (paths, expected) in [
            (&["a.b"][..], r#"{"a":{"b":"<left out>","d":2},"l":[{"s":"k"},{"s":[]}],"b":3}"#),
            (&["a.d", "b"], r#"{"a":{"b":[1,{"c":"x]"}],"d":"<left out>"},"l":[{"s":"k"},{"s":[]}],"b":"<left out>"}"#),
            (&["l.*.s"], r#"{"a":{"b":[1,{"c":"x]"}],"d":2},"l":[{"s":"<left out>"},{"s":"<left out>"}],"b":3}"#),
            (&["l.1"], r#"{"a":{"b":[1,{"c":"x]"}],"d":2},"l":[{"s":"k"},"<left out>"],"b":3}"#),
            (&["c"], json),
        ] {
            assert_eq!(redacted(json, paths).0, expected, "{paths:?}");
        }
    }

    #[test]
    fn nesting_has_no_depth_that_is_too_much() {
        let deep = |inner: &str| format!("{}\"{inner}\"{}", "[".repeat(50_000), "]".repeat(50_000));
        assert_eq!(redacted(&deep("ann@example.com"), &[]).0, deep("<email>"));
        assert_eq!(redacted("\"ann@example.com\"", &[]), ("\"<email>\"".to_owned(), vec![String::new()]));
    }
}
