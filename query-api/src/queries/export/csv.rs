//! CSV (RFC 4180) of the lines: texts and JSON in quotes, numbers and truth values without, nothing for null.
//!
//! A spreadsheet takes a text for a formula if it begins with one of [`FORMULA`]. Such a text gets a `'` before it, and so
//! does one that begins with `'`, so that taking the first `'` of a text away always gives what it was. Numbers and JSON
//! stay as they are: neither can be a formula, for JSON begins with `{`, `[`, `"`, a digit, a minus before one, or a name.

use std::borrow::Cow;
use std::fmt;

use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use super::columns::{Column, Kind, Of};

/// With the forms of full width that some spreadsheets take for the others.
const FORMULA: &[char] = &['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠', '\''];

pub fn write_header(kind: &Kind, payloads: bool, to: &mut Vec<u8>) {
    let names: Vec<&str> = kind.columns(payloads).map(|column| column.name).collect();
    to.extend_from_slice(names.join(",").as_bytes());
    to.extend_from_slice(b"\r\n");
}

/// Appends the record of a line of JSON with exactly these columns.
pub fn write_record(line: &[u8], kind: &Kind, payloads: bool, to: &mut Vec<u8>) -> serde_json::Result<()> {
    let record = Record { columns: kind.columns(payloads), to };
    serde_json::Deserializer::from_slice(line).deserialize_map(record)
}

struct Record<'a, C> {
    columns: C,
    to: &'a mut Vec<u8>,
}

impl<'de, C: Iterator<Item = &'static Column>> Visitor<'de> for Record<'_, C> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a line of the export")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let mut is_first = true;
        for column in self.columns {
            let Some((name, value)) = fields.next_entry::<Cow<'_, str>, &RawValue>()? else {
                return Err(serde::de::Error::custom("a field is missing"));
            };
            if name != column.name {
                return Err(serde::de::Error::custom("a field is out of its place"));
            }
            if !std::mem::take(&mut is_first) {
                self.to.push(b',');
            }
            write_cell(value.get(), &column.of, self.to).map_err(serde::de::Error::custom)?;
        }
        self.to.extend_from_slice(b"\r\n");
        Ok(())
    }
}

fn write_cell(json: &str, of: &Of, to: &mut Vec<u8>) -> serde_json::Result<()> {
    match (json.as_bytes().first(), of) {
        (Some(b'n'), _) => {}
        (_, Of::Json) | (Some(b'[' | b'{'), _) => write_quoted(json, to),
        (Some(b'"'), _) => {
            let text: String = serde_json::from_str(json)?;
            if text.starts_with(FORMULA) {
                write_quoted(&format!("'{text}"), to);
            } else {
                write_quoted(&text, to);
            }
        }
        _ => to.extend_from_slice(json.as_bytes()),
    }
    Ok(())
}

fn write_quoted(text: &str, to: &mut Vec<u8>) {
    to.push(b'"');
    for (n, part) in text.split('"').enumerate() {
        if n > 0 {
            to.extend_from_slice(b"\"\"");
        }
        to.extend_from_slice(part.as_bytes());
    }
    to.push(b'"');
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn cell(json: &str, of: &Of) -> String {
        let mut cell = Vec::new();
        write_cell(json, of, &mut cell).unwrap();
        String::from_utf8(cell).unwrap()
    }

    #[test]
    fn no_text_begins_like_a_formula_and_every_one_can_be_had_back() {
        for text in
            ["=1+1", "+1", "-1", "@x", "\tx", "\r=1", "\n=1", "＝1", "'=1", "'", "", "a", "a\"b", "a,\nb", "é=1"]
        {
            let written = cell(&serde_json::to_string(text).unwrap(), &Of::Text);
            let inside = written.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap();
            assert!(!inside.starts_with(&FORMULA[..11]), "{written}");
            let read = inside.replace("\"\"", "\"");
            assert_eq!(read.strip_prefix('\'').unwrap_or(&read), text);
        }
    }

    #[test]
    fn numbers_stay_numbers_and_json_stays_json() {
        assert_eq!(cell("-5", &Of::Row("", "")), "-5");
        assert_eq!(cell("0.000000000001", &Of::Row("", "")), "0.000000000001");
        assert_eq!(cell("true", &Of::Row("", "")), "true");
        assert_eq!(cell("null", &Of::Text), "");
        assert_eq!(cell(r#"["=a"]"#, &Of::Row("", "")), r#""[""=a""]""#);
        assert_eq!(cell(r#""=a""#, &Of::Json), r#""""=a""""#);
    }
}
