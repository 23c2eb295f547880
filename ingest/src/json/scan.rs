//! One pass over a body before it is parsed: repairs what a strict parser refuses but real clients send (`NaN`,
//! `Infinity`, lone surrogates), and bounds the nesting.

use std::borrow::Cow;

use memchr::memchr2;

const MOST_LEVELS: usize = 256;
/// Repairs are listed in the trace's warnings; a body full of them is repaired all the same.
const MOST_LISTED: usize = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repaired {
    NonFinite,
    Surrogate,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repair {
    /// As far as a fault would name it: `output`, `spans[3].input`.
    pub path: String,
    pub what: Repaired,
}

pub struct Scanned<'a> {
    pub text: Cow<'a, str>,
    pub repairs: Vec<Repair>,
}

#[derive(Default)]
struct Level<'a> {
    object: bool,
    index: usize,
    key: &'a str,
    expects_key: bool,
}

struct Scan<'a> {
    text: &'a str,
    /// Paths into values of this key have so many parts, others one: deeper they would hold keys of a payload.
    inside: (&'static str, usize),
    at: usize,
    levels: Vec<Level<'a>>,
    out: String,
    copied: usize,
    repairs: Vec<Repair>,
}

pub fn scan(text: &str) -> Result<Scanned<'_>, String> {
    scan_inside(text, ("spans", 3))
}

/// As [`scan`], of a frame: paths lead to the fields of its `data`.
pub fn scan_frame(text: &str) -> Result<Scanned<'_>, String> {
    scan_inside(text, ("data", 2))
}

fn scan_inside<'a>(text: &'a str, inside: (&'static str, usize)) -> Result<Scanned<'a>, String> {
    let mut scan = Scan { text, inside, at: 0, levels: Vec::new(), out: String::new(), copied: 0, repairs: Vec::new() };
    scan.run()?;
    let text = if scan.repairs.is_empty() {
        Cow::Borrowed(text)
    } else {
        scan.out.push_str(&text[scan.copied..]);
        Cow::Owned(scan.out)
    };
    Ok(Scanned { text, repairs: scan.repairs })
}

impl<'a> Scan<'a> {
    fn run(&mut self) -> Result<(), String> {
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.at) {
            match byte {
                b'"' => self.string(),
                b'{' | b'[' => {
                    if self.levels.len() >= MOST_LEVELS {
                        return Err(format!("{} is nested deeper than {MOST_LEVELS} levels", self.path()));
                    }
                    let object = *byte == b'{';
                    self.levels.push(Level { object, expects_key: object, ..Level::default() });
                    self.at += 1;
                }
                b'}' | b']' => {
                    self.levels.pop();
                    self.at += 1;
                }
                b',' => {
                    if let Some(level) = self.levels.last_mut() {
                        level.index += 1;
                        level.expects_key = level.object;
                    }
                    self.at += 1;
                }
                b'N' => self.literal("NaN"),
                b'I' => self.literal("Infinity"),
                b'-' => self.literal("-Infinity"),
                _ => self.at += 1,
            }
        }
        Ok(())
    }

    fn literal(&mut self, literal: &str) {
        if self.text.as_bytes()[self.at..].starts_with(literal.as_bytes()) {
            self.repair(literal.len(), "null", Repaired::NonFinite);
        } else {
            self.at += 1;
        }
    }

    /// From the opening quote to behind the closing one, or to the end where there is none.
    fn string(&mut self) {
        let bytes = self.text.as_bytes();
        let start = self.at + 1;
        self.at = start;
        while let Some(found) = memchr2(b'"', b'\\', &bytes[self.at..]) {
            self.at += found;
            if bytes[self.at] == b'"' {
                let end = self.at;
                self.at += 1;
                if let Some(level) = self.levels.last_mut()
                    && level.expects_key
                {
                    level.key = &self.text[start..end];
                    level.expects_key = false;
                }
                return;
            }
            self.escape();
        }
        self.at = bytes.len();
    }

    fn escape(&mut self) {
        match self.unit(self.at) {
            Some(high @ 0xd800..=0xdbff) if matches!(self.unit(self.at + 6), Some(0xdc00..=0xdfff)) => {
                let _ = high;
                self.at += 12;
            }
            Some(0xd800..=0xdfff) => self.repair(6, "\\ufffd", Repaired::Surrogate),
            Some(_) => self.at += 6,
            None => self.at = (self.at + 2).min(self.text.len()),
        }
    }

    /// The UTF-16 unit of a `\uXXXX` escape at this place.
    fn unit(&self, at: usize) -> Option<u32> {
        let escape = self.text.as_bytes().get(at..at + 6)?;
        if &escape[..2] != b"\\u" || !escape[2..].iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        u32::from_str_radix(std::str::from_utf8(&escape[2..]).ok()?, 16).ok()
    }

    fn repair(&mut self, length: usize, with: &str, what: Repaired) {
        if self.repairs.len() < MOST_LISTED || self.repairs.is_empty() {
            let path = self.path();
            if self.repairs.last().is_none_or(|last| last.path != path || last.what != what) {
                self.repairs.push(Repair { path, what });
            }
        }
        self.out.push_str(&self.text[self.copied..self.at]);
        self.out.push_str(with);
        self.at += length;
        self.copied = self.at;
    }

    fn path(&self) -> String {
        let mut path = String::new();
        let (inside, deep) = self.inside;
        let shown = if self.levels.first().is_some_and(|level| level.key == inside) { deep } else { 1 };
        for level in self.levels.iter().take(shown) {
            if !level.object {
                path.push_str(&format!("[{}]", level.index));
            } else if !level.key.is_empty() {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(level.key);
            }
        }
        if path.is_empty() { "body".to_owned() } else { path }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repaired(text: &str) -> (String, Vec<String>) {
        let scanned = scan(text).unwrap();
        (scanned.text.into_owned(), scanned.repairs.iter().map(|repair| repair.path.clone()).collect())
    }

    #[test]
    fn repairs_what_python_sends() {
        let (text, paths) = repaired(
            r#"{"input":{"v":[NaN,-Infinity,-1]},"spans":[{},{"output":"a\ud800b","name":"Infinity"}],"cost":Infinity}"#,
        );
        assert_eq!(
            text,
            r#"{"input":{"v":[null,null,-1]},"spans":[{},{"output":"a\ufffdb","name":"Infinity"}],"cost":null}"#
        );
        assert_eq!(paths, ["input", "spans[1].output", "cost"]);
    }

    #[test]
    fn keeps_pairs_and_escapes() {
        for text in [r#"{"a":"😀\u0000\\ud800\"","b":"\ud83d\ude00"}"#, r#"["\\"]"#, "", "{", r#""\u12"#, r#"{"a":"\"#]
        {
            let scanned = scan(text).unwrap();
            assert_eq!(scanned.text, text);
            assert!(matches!(scanned.text, Cow::Borrowed(_)));
        }
        assert_eq!(repaired(r#""\udc00\ud800\udc00""#).0, r#""\ufffd\ud800\udc00""#);
        assert_eq!(repaired(r#""\ud800\ud800\udc00""#).0, r#""\ufffd\ud800\udc00""#);
    }

    #[test]
    fn names_the_fields_of_a_frames_data() {
        let text = r#"{"type":"span_ended","data":{"output":{"a":NaN},"logprobs":[Infinity],"name":"\ud800"},"seq":1}"#;
        let paths: Vec<String> = scan_frame(text).unwrap().repairs.into_iter().map(|repair| repair.path).collect();
        assert_eq!(paths, ["data.output", "data.logprobs", "data.name"]);
    }

    #[test]
    fn bounds_the_nesting() {
        assert!(scan(&"[".repeat(256)).is_ok());
        let fault = scan(&format!(r#"{{"input":{}"#, "[".repeat(300))).err().unwrap();
        assert!(fault.starts_with("input is nested deeper"), "{fault}");
    }
}
