//! CSV (RFC 4180): texts and JSON in quotes, numbers and truth values without, nothing for null.
//!
//! A spreadsheet takes a text for a formula if it begins with one of [`FORMULA`]. Such a text gets a `'` before it, and so
//! does one that begins with `'`, so that taking the first `'` of a text away always gives what it was. Numbers and JSON
//! stay as they are: neither can be a formula, for JSON begins with `{`, `[`, `"`, a digit, a minus before one, or a name.

pub const CONTENT_TYPE: &str = "text/csv; charset=utf-8; header=present";

/// With the forms of full width that some spreadsheets take for the others.
const FORMULA: &[char] = &['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠', '\''];

pub fn write_header<'a>(names: impl Iterator<Item = &'a str>, to: &mut Vec<u8>) {
    to.extend_from_slice(names.collect::<Vec<_>>().join(",").as_bytes());
    to.extend_from_slice(b"\r\n");
}

/// The cell of a value.
pub fn write_value(json: &str, to: &mut Vec<u8>) -> serde_json::Result<()> {
    match json.as_bytes().first() {
        Some(b'n') => {}
        Some(b'[' | b'{') => write_json(json, to),
        Some(b'"') => {
            let text: String = serde_json::from_str(json)?;
            write_text(&text, to);
        }
        _ => to.extend_from_slice(json.as_bytes()),
    }
    Ok(())
}

pub fn write_text(text: &str, to: &mut Vec<u8>) {
    if text.starts_with(FORMULA) {
        write_quoted(&format!("'{text}"), to);
    } else {
        write_quoted(text, to);
    }
}

/// The cell of a value that is any JSON, and stays so.
pub fn write_json(json: &str, to: &mut Vec<u8>) {
    if !json.starts_with('n') {
        write_quoted(json, to);
    }
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

    fn cell(json: &str) -> String {
        let mut cell = Vec::new();
        write_value(json, &mut cell).unwrap();
        String::from_utf8(cell).unwrap()
    }

    #[test]
    fn no_text_begins_like_a_formula_and_every_one_can_be_had_back() {
        for text in
            ["=1+1", "+1", "-1", "@x", "\tx", "\r=1", "\n=1", "＝1", "'=1", "'", "", "a", "a\"b", "a,\nb", "é=1"]
        {
            let written = cell(&serde_json::to_string(text).unwrap());
            let inside = written.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap();
            assert!(!inside.starts_with(&FORMULA[..11]), "{written}");
            let read = inside.replace("\"\"", "\"");
            assert_eq!(read.strip_prefix('\'').unwrap_or(&read), text);
        }
    }

    #[test]
    fn numbers_stay_numbers_and_json_stays_json() {
        assert_eq!(cell("-5"), "-5");
        assert_eq!(cell("0.000000000001"), "0.000000000001");
        assert_eq!(cell("true"), "true");
        assert_eq!(cell("null"), "");
        assert_eq!(cell(r#"["=a"]"#), r#""[""=a""]""#);
        let mut json = Vec::new();
        write_json(r#""=a""#, &mut json);
        write_json("null", &mut json);
        assert_eq!(json, br#""""=a""""#);
    }
}
