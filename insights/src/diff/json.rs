//! JSON as it is written: whether two values are the same, and where they differ.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use serde::Deserialize;
use serde_json::value::RawValue;
use similar::{Algorithm, DiffTag, capture_diff_slices_deadline};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

/// What is deeper is compared as text.
const DEEPEST: usize = 64;
/// A path that is longer ends with `…`.
const LONGEST_PATH: usize = 1_000;

/// A value that differs.
#[derive(Debug, PartialEq, Eq)]
pub struct Change<'t> {
    /// As `input.messages[1].content`; numbers are those of `to`, or of `from` where it was removed.
    pub path: String,
    /// JSON; nothing where it was added.
    pub from: Option<&'t str>,
    /// JSON; nothing where it was removed.
    pub to: Option<&'t str>,
}

/// Changes, up to a bound.
pub struct Changes<'t> {
    pub found: Vec<Change<'t>>,
    /// How many there are beyond it.
    pub left_out: usize,
    most: usize,
    deadline: Instant,
}

/// The same for values that say the same, whatever white space, escapes and order of fields they are written with. Numbers
/// are the same if they are written alike.
pub fn hash(json: &str) -> u64 {
    hash_at(json, DEEPEST)
}

fn hash_at(json: &str, depth: usize) -> u64 {
    let mut hasher = Xxh3::new();
    match Value::read(json, depth) {
        Value::Object(fields) => {
            hasher.update(b"{");
            for (name, value) in fields {
                hasher.update(&xxh3_64(name.as_bytes()).to_le_bytes());
                hasher.update(&hash_at(value.get(), depth - 1).to_le_bytes());
            }
        }
        Value::Array(items) => {
            hasher.update(b"[");
            for item in items {
                hasher.update(&hash_at(item.get(), depth - 1).to_le_bytes());
            }
        }
        Value::Text(text) => {
            hasher.update(b"\"");
            hasher.update(text.as_bytes());
        }
        Value::Other(text) => hasher.update(text.as_bytes()),
    }
    hasher.digest()
}

/// JSON without the white space between its tokens: what it says, however it was written.
pub fn compact(json: &str) -> String {
    let (mut in_text, mut is_escaped) = (false, false);
    let is_kept = |c: &char| {
        let is_kept = in_text || !c.is_ascii_whitespace();
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => in_text = !in_text,
            _ => {}
        }
        is_kept
    };
    json.chars().filter(is_kept).collect()
}

/// The text of a JSON string.
pub fn string(json: &str) -> Option<String> {
    serde_json::from_str(json).ok()
}

/// One level of a value.
enum Value<'t> {
    Object(BTreeMap<String, &'t RawValue>),
    Array(Vec<&'t RawValue>),
    Text(String),
    /// A number, a word, what is too deep, and what is no JSON.
    Other(String),
}

impl<'t> Value<'t> {
    fn read(json: &'t str, depth: usize) -> Value<'t> {
        fn of<'t, T: Deserialize<'t>>(json: &'t str) -> Option<T> {
            serde_json::from_str(json).ok()
        }
        let value = match json.trim_start().as_bytes().first() {
            Some(b'"') => of(json).map(Value::Text),
            Some(b'{' | b'[') if depth == 0 => Some(Value::Other(compact(json))),
            Some(b'{') => of(json).map(Value::Object),
            Some(b'[') => of(json).map(Value::Array),
            _ => None,
        };
        value.unwrap_or_else(|| Value::Other(json.trim().to_owned()))
    }
}

impl<'t> Changes<'t> {
    pub fn new(most: usize, deadline: Instant) -> Changes<'t> {
        Changes { found: Vec::new(), left_out: 0, most, deadline }
    }

    /// What differs between two values at a path, either of which may be absent.
    pub fn compare(&mut self, path: &str, from: Option<&'t str>, to: Option<&'t str>) {
        match (from, to) {
            (Some(from), Some(to)) => self.walk(path, from, to, DEEPEST),
            (None, None) => {}
            _ => self.push(path, from, to),
        }
    }

    fn walk(&mut self, path: &str, from: &'t str, to: &'t str, depth: usize) {
        if from == to {
            return;
        }
        match (Value::read(from, depth), Value::read(to, depth)) {
            (Value::Object(from), Value::Object(to)) => {
                for name in from.keys().chain(to.keys()).collect::<BTreeSet<_>>() {
                    let at = || format!("{path}{}", field(name));
                    match (from.get(name), to.get(name)) {
                        (Some(from), Some(to)) => self.walk(&at(), from.get(), to.get(), depth - 1),
                        (from, to) => self.push(&at(), from.map(|value| value.get()), to.map(|value| value.get())),
                    }
                }
            }
            (Value::Array(from), Value::Array(to)) => self.items(path, &from, &to, depth - 1),
            (Value::Text(one), Value::Text(other)) if one == other => {}
            (Value::Other(one), Value::Other(other)) if one == other => {}
            _ => self.push(path, Some(from), Some(to)),
        }
    }

    /// Items that stay are found wherever they are; those between them are compared in their order.
    fn items(&mut self, path: &str, from: &[&'t RawValue], to: &[&'t RawValue], depth: usize) {
        let hashes = |items: &[&RawValue]| items.iter().map(|item| hash_at(item.get(), depth)).collect::<Vec<_>>();
        let (before, after) = (hashes(from), hashes(to));
        for part in capture_diff_slices_deadline(Algorithm::Myers, &before, &after, Some(self.deadline)) {
            let (tag, old, new) = part.as_tag_tuple();
            if tag == DiffTag::Equal {
                continue;
            }
            let both = old.len().min(new.len());
            for (one, other) in old.clone().zip(new.clone()) {
                self.walk(&format!("{path}[{other}]"), from[one].get(), to[other].get(), depth);
            }
            for one in old.skip(both) {
                self.push(&format!("{path}[{one}]"), Some(from[one].get()), None);
            }
            for other in new.skip(both) {
                self.push(&format!("{path}[{other}]"), None, Some(to[other].get()));
            }
        }
    }

    fn push(&mut self, path: &str, from: Option<&'t str>, to: Option<&'t str>) {
        if self.found.len() == self.most {
            self.left_out += 1;
            return;
        }
        let mut path = path.to_owned();
        if path.len() > LONGEST_PATH {
            path.truncate(path.floor_char_boundary(LONGEST_PATH));
            path.push('…');
        }
        self.found.push(Change { path, from, to });
    }
}

fn field(name: &str) -> String {
    let is_word = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if is_word && !name.is_empty() { format!(".{name}") } else { format!("[{}]", serde_json::Value::from(name)) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn shown(from: &str, to: &str) -> Vec<String> {
        let mut changes = Changes::new(5, Instant::now() + Duration::from_secs(1));
        changes.compare("$", Some(from), Some(to));
        let line = |change: &Change<'_>| {
            format!("{} {} {}", change.path, change.from.unwrap_or("-"), change.to.unwrap_or("-"))
        };
        let mut lines: Vec<String> = changes.found.iter().map(line).collect();
        lines.extend((changes.left_out > 0).then(|| format!("and {}", changes.left_out)));
        lines
    }

    #[test]
    fn white_space_counts_only_within_texts() {
        assert_eq!(compact("{ \"a b\" :\n [1, \"\\\" c\\\\\" ] }"), "{\"a b\":[1,\"\\\" c\\\\\"]}");
    }

    #[test]
    fn values_that_say_the_same_have_one_hash() {
        for (one, other) in [
            (r#"{"a":1,"b":[true,null]}"#, r#" { "b" : [true, null], "a": 1 } "#),
            (r#""\u00e9""#, "\"é\""),
            (" 5", "5\n"),
        ] {
            assert_eq!(hash(one), hash(other), "{one}");
            assert!(shown(one, other).is_empty(), "{one}");
        }
        for (one, other) in
            [("1", "1.0"), ("1", "\"1\""), ("[1,2]", "[2,1]"), ("{}", "[]"), (r#"{"a":1}"#, r#"{"b":1}"#)]
        {
            assert_ne!(hash(one), hash(other), "{one}");
            assert!(!shown(one, other).is_empty(), "{one}");
        }
    }

    #[test]
    fn each_value_that_differs_has_its_path() {
        assert_eq!(
            shown(
                r#"{"model":"a","messages":[{"role":"user","content":"x"}],"gone":1,"odd key":1}"#,
                r#"{"model":"b","messages":[{"role":"user","content":"y"},3],"odd key":{"x":1}}"#
            ),
            [
                "$.gone 1 -",
                r#"$.messages[0].content "x" "y""#,
                "$.messages[1] - 3",
                r#"$.model "a" "b""#,
                r#"$["odd key"] 1 {"x":1}"#
            ]
        );
    }

    #[test]
    fn an_item_that_is_put_before_others_is_all_that_changes() {
        assert_eq!(shown("[1,2,3]", "[0,1,2,3]"), ["$[0] - 0"]);
        assert_eq!(shown("[1,2,3]", "[1,3]"), ["$[1] 2 -"]);
    }

    #[test]
    fn more_changes_than_the_bound_are_counted_and_depth_has_one() {
        assert_eq!(shown("[1,2,3,4,5,6,7]", "[10,20,30,40,50,60,70]").last().map(String::as_str), Some("and 2"));
        let deep = |inner: &str| format!("{}{inner}{}", "[".repeat(200), "]".repeat(200));
        let found = shown(&deep("1"), &deep("2"));
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("$[0][0]"));
    }
}
