//! The file: a line with the hash of everything behind it, what the author says, the trace, its steps.

use std::collections::HashSet;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{About, MOST_STEPS, StepLine, TraceLine, to_line};
use crate::sealing::{hex, sha256};

const FORMAT: &str = "retrace-tape";
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Head {
    format: String,
    version: u32,
    /// Of all bytes after this line.
    sha256: String,
}

/// A file whose hash is right, and whose lines are what they are to be.
#[derive(Debug)]
pub struct TapeFile<'a> {
    pub about: About,
    /// Of the trace and its steps.
    pub lines: Vec<&'a str>,
    pub trace: TraceLine,
    pub steps: Vec<StepLine>,
    /// Of the snapshot: [`snapshot_hash`].
    pub sha256: String,
}

/// Of a tape's lines without what the author says, which can be changed.
pub fn snapshot_hash<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    let mut bytes = Vec::new();
    for line in lines {
        bytes.extend_from_slice(line.as_bytes());
        bytes.push(b'\n');
    }
    hex(&sha256(&bytes))
}

/// `lines` are those of the trace and its steps, each with its end.
pub fn write(about: &About, lines: &str) -> serde_json::Result<String> {
    let rest = format!("{}\n{lines}", to_line(about)?);
    Ok(format!("{}\n{rest}", head(rest.as_bytes())?))
}

fn head(rest: &[u8]) -> serde_json::Result<String> {
    to_line(&Head { format: FORMAT.to_owned(), version: VERSION, sha256: hex(&sha256(rest)) })
}

/// What is wrong with the file otherwise. No byte of it can be another: the first line is held against what it is to be, the
/// rest against the hash in it.
pub fn read(bytes: &[u8]) -> Result<TapeFile<'_>, String> {
    let text =
        std::str::from_utf8(bytes).map_err(|fault| format!("the file is not UTF-8 at byte {}", fault.valid_up_to()))?;
    let (first, rest) = text.split_once('\n').ok_or("the file is not a tape")?;
    if head(rest.as_bytes()).map_err(|fault| fault.to_string())? != first {
        return Err(match serde_json::from_str::<Head>(first) {
            Ok(head) if head.format == FORMAT && head.version != VERSION => {
                format!("the tape is of version {}, and this server reads version {VERSION}", head.version)
            }
            Ok(head) if head.format == FORMAT => "the tape is damaged: its hash is not that of its content".to_owned(),
            _ => "the file is not a tape".to_owned(),
        });
    }
    let rest = rest.strip_suffix('\n').ok_or("the tape breaks off in a line")?;
    let mut lines = rest.split('\n');
    let about: About = line(lines.next(), 2)?;
    about.check().map_err(|fault| said(2, fault))?;
    let lines: Vec<&str> = lines.collect();
    let trace: TraceLine = line(lines.first().copied(), 3)?;
    trace.check().map_err(|fault| said(3, fault))?;
    let steps = lines.get(1..).unwrap_or_default();
    if steps.len() > MOST_STEPS {
        return Err(format!("the tape has more than {MOST_STEPS} steps"));
    }
    let steps = (4..).zip(steps).map(|(number, text)| {
        let step: StepLine = line(Some(*text), number)?;
        step.check().map_err(|fault| said(number, fault))?;
        Ok(step)
    });
    let steps = steps.collect::<Result<Vec<_>, String>>()?;
    if let Some(at) = repeated(&steps) {
        return Err(format!("line {}: the id is another step's", at + 4));
    }
    Ok(TapeFile { sha256: snapshot_hash(lines.iter().copied()), about, lines, trace, steps })
}

/// The place of a step whose id another one before it has.
fn repeated(steps: &[StepLine]) -> Option<usize> {
    let mut ids = HashSet::new();
    steps.iter().position(|step| !ids.insert(step.id.as_str()))
}

/// Written as tapes are, so that the tape is the same wherever it is read and written again.
fn line<T: Serialize + DeserializeOwned>(text: Option<&str>, number: usize) -> Result<T, String> {
    let text = text.ok_or("the tape is not whole")?;
    let value: T = serde_json::from_str(text).map_err(|fault| format!("line {number}: {fault}"))?;
    let again = to_line(&value).map_err(|fault| format!("line {number}: {fault}"))?;
    if again == text { Ok(value) } else { Err(format!("line {number} is not written as those of tapes are")) }
}

fn said(number: usize, (name, what): (&str, &str)) -> String {
    format!("line {number}: {name} {what}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = r#"{"name":"a","status":"completed","started_at":"2026-01-01T00:00:00Z","total_tokens":3,"total_cost":0.10,"models":["m"],"left_out":0,"input":{"q": 1.50}}"#;
    const STEP: &str = r#"{"id":"00f067aa0ba902b7","span_type":"llm_call","name":"n","cost":0.10,"output":[1, 2]}"#;

    fn tape(lines: &[&str]) -> String {
        let about = About { title: "T".to_owned(), description: String::new(), tags: vec!["x".to_owned()] };
        let lines: String = lines.iter().map(|line| format!("{line}\n")).collect();
        write(&about, &lines).unwrap()
    }

    #[test]
    fn a_file_is_read_as_it_was_written() {
        let text = tape(&[TRACE, STEP]);
        let file = read(text.as_bytes()).unwrap();
        assert_eq!((file.lines, file.steps.len(), file.trace.total_cost.get()), (vec![TRACE, STEP], 1, "0.10"));
        assert_eq!(file.sha256, hex(&sha256(format!("{TRACE}\n{STEP}\n").as_bytes())));
        assert_eq!(write(&file.about, &format!("{TRACE}\n{STEP}\n")).unwrap(), text);
    }

    #[test]
    fn no_byte_can_be_another() {
        let bytes = tape(&[TRACE, STEP]).into_bytes();
        for at in 0..bytes.len() {
            for bit in [1, 32] {
                let mut flipped = bytes.clone();
                flipped[at] ^= bit;
                assert!(read(&flipped).is_err(), "byte {at}");
            }
        }
        assert!(read(&bytes[..bytes.len() - 1]).is_err());
        assert!(read(&[&bytes[..], b"\n"].concat()).is_err());
    }

    #[test]
    fn what_has_a_right_hash_and_is_no_tape_is_refused_by_its_line() {
        let twice = format!("{}{}", &STEP[..STEP.len() - 1], r#","more":1}"#);
        for (lines, fault) in [
            (&[][..], "the tape is not whole"),
            (&[TRACE, "{}"], "line 4: missing field `id` at line 1 column 2"),
            (&[TRACE, &twice], "line 4 is not written as those of tapes are"),
            (&[TRACE, STEP, STEP], "line 5: the id is another step's"),
            (&[TRACE, r#"{"id":"x","span_type":"llm_call","name":""}"#], "line 4: id is no span's"),
            (&[&TRACE.replace("0.10", "-1")], "line 3: total_cost is not an amount"),
        ] {
            assert_eq!(read(tape(lines).as_bytes()).unwrap_err(), fault);
        }
        assert_eq!(read(b"hello").unwrap_err(), "the file is not a tape");
        assert_eq!(read(b"{}\n").unwrap_err(), "the file is not a tape");
        let later = tape(&[TRACE]).replacen("\"version\":1", "\"version\":2", 1);
        assert_eq!(read(later.as_bytes()).unwrap_err(), "the tape is of version 2, and this server reads version 1");
    }
}
