//! What in a text is a value: each function looks at where a text begins, and no further than a window, an object's end, or
//! what it then takes, so that the time for a hostile text stays bounded.

use super::pieces::mask_at;

const LONGEST_WORD: usize = 64;
const LONGEST_QUOTE: usize = 1024;
const LONGEST_PATH: usize = 512;

/// Where a quote ends that begins the text, if it does soon and before a boundary.
pub(super) fn closing(text: &str, quote: u8) -> Option<usize> {
    let bytes = text.as_bytes();
    (1..bytes.len().min(LONGEST_QUOTE)).find(|&at| {
        bytes[at] == quote
            && bytes[at - 1] != b'\\'
            && bytes.get(at + 1).is_none_or(|next| !next.is_ascii_alphanumeric())
    })
}

/// The length of an object with quoted keys that begins the text.
pub(super) fn object(text: &str) -> Option<usize> {
    if !text.starts_with('{') {
        return None;
    }
    let mut depth = 0usize;
    let mut quote = None;
    let mut escaped = false;
    let mut keyed = false;
    for (at, byte) in text.bytes().enumerate() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if byte == b'\\' => escaped = true,
            Some(open) if byte == open => {
                keyed |= text[at + 1..].trim_start().starts_with(':');
                quote = None;
            }
            Some(_) => {}
            None => match byte {
                b'"' | b'\'' => quote = Some(byte),
                b'{' => depth += 1,
                b'}' => {
                    depth -= 1;
                    if depth == 0 {
                        return keyed.then_some(at + 1);
                    }
                }
                _ => {}
            },
        }
    }
    None
}

/// A quoted value of a key, wherever in the object it stands.
pub(super) fn value_of<'a>(object: &'a str, key: &str) -> Option<&'a str> {
    for (at, _) in object.match_indices(key) {
        let Some(quote) = object[..at].bytes().next_back().filter(|byte| matches!(byte, b'"' | b'\'')) else {
            continue;
        };
        let Some(rest) = object[at + key.len()..].strip_prefix(char::from(quote)) else { continue };
        let Some(rest) = rest.trim_start().strip_prefix(':') else { continue };
        let rest = rest.trim_start();
        let Some(open) = rest.bytes().next().filter(|byte| matches!(byte, b'"' | b'\'')) else { continue };
        let bytes = rest.as_bytes();
        let end = (1..bytes.len()).find(|&end| bytes[end] == open && bytes[end - 1] != b'\\')?;
        return Some(&rest[1..end]);
    }
    None
}

/// The length of groups of hex digits that begins the text: a hardware or an IPv6 address.
pub(super) fn hexes(text: &str) -> Option<usize> {
    let text = window(text, LONGEST_WORD);
    let end = text.bytes().position(|byte| !byte.is_ascii_hexdigit() && byte != b':').unwrap_or(text.len());
    let word = text[..end].trim_end_matches(':');
    let groups = word.split(':').filter(|group| !group.is_empty()).count();
    let short = word.split(':').all(|group| group.len() <= 4);
    let ends = text[end..].chars().next().is_none_or(|c| !c.is_alphanumeric());
    (groups >= 3 && short && ends && word.bytes().any(|byte| byte.is_ascii_digit())).then_some(word.len())
}

/// The length of an address or a path that begins the text.
pub(super) fn path(text: &str) -> Option<usize> {
    let text = window(text, LONGEST_PATH);
    let ends = |byte: u8| {
        byte.is_ascii_whitespace()
            || matches!(
                byte,
                b'"' | b'\'' | b'`' | b'<' | b'>' | b'|' | b',' | b';' | b'(' | b')' | b'[' | b']' | b'{' | b'}'
            )
    };
    let end = text.bytes().position(ends).unwrap_or(text.len());
    let word = text[..end].trim_end_matches(['.', ':', '!', '?']);
    let bytes = word.as_bytes();
    let slashes = bytes.iter().filter(|byte| **byte == b'/').count();
    let rooted = bytes.len() > 1
        && bytes[0] == b'/'
        && (bytes[1].is_ascii_alphanumeric() || matches!(bytes[1], b'.' | b'_' | b'/'));
    let relative = word.starts_with("./") || word.starts_with("../") || word.starts_with("~/");
    let drive = bytes.len() > 2 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':' && bytes[2] == b'\\';
    let address = word.find("://").is_some_and(|at| at > 0 && bytes[..at].iter().all(u8::is_ascii_alphanumeric));
    let named = slashes >= 2
        && bytes
            .iter()
            .take_while(|byte| **byte != b'/')
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
    (rooted || relative || drive || address || named).then_some(word.len())
}

/// A number, also with a unit, a sign, or the separators of times and versions.
pub(super) fn is_number(word: &str) -> bool {
    let digits =
        word.trim_start_matches(['-', '+', '~']).trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '%');
    let unit = word.len() - word.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '%').len();
    unit <= 3
        && digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'_' | b'+'))
}

/// The length of a unit that follows a number.
pub(super) fn unit(after: &str) -> usize {
    const UNITS: [&str; 22] = [
        "B", "KB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "kB", "bytes", "byte", "us", "ms", "s", "sec", "secs",
        "seconds", "second", "min", "minutes", "hours", "%",
    ];
    let Some(rest) = after.strip_prefix(' ') else { return 0 };
    let rest = window(rest, 8);
    let end = rest.bytes().position(|byte| !byte.is_ascii_alphanumeric() && byte != b'%').unwrap_or(rest.len());
    if UNITS.contains(&&rest[..end]) { end + 1 } else { 0 }
}

/// Whether a port follows, as after a host.
pub(super) fn is_port(after: &str) -> bool {
    after.strip_prefix(':').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// A weekday or month of a date: more of the date follows.
pub(super) fn is_date(word: &str, after: &str) -> bool {
    const NAMES: [&str; 19] = [
        "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep",
        "Oct", "Nov", "Dec",
    ];
    let named = |text: &str| text.get(..3).is_some_and(|name| NAMES.contains(&name));
    let next = after.trim_start_matches([' ', ',', '/', '-']);
    word.len() == 3
        && named(word)
        && (next.starts_with(|c: char| c.is_ascii_digit()) || named(next) || mask_at(next).is_some())
}

/// Names of standards have digits and are no values.
const NAMES: [&str; 22] = [
    "utf8", "utf-8", "utf16", "utf-16", "http2", "http3", "ipv4", "ipv6", "base64", "sha1", "sha256", "sha512", "md5",
    "x86_64", "int32", "int64", "float32", "float64", "oauth2", "s3", "ec2", "k8s",
];

pub(super) fn is_id(word: &str) -> bool {
    word.len() > LONGEST_WORD
        || (word.bytes().any(|byte| byte.is_ascii_digit()) && !NAMES.iter().any(|name| word.eq_ignore_ascii_case(name)))
}

fn window(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
