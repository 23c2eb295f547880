//! By what items that say the same are known.

use schemas::sealing;

/// Of JSON texts, whatever the white space between their tokens.
pub fn of(parts: [Option<&str>; 3]) -> String {
    let mut text = String::new();
    for part in parts {
        compact(part.unwrap_or("null"), &mut text);
        // No JSON holds it.
        text.push('\0');
    }
    sealing::hex(&sealing::sha256(text.as_bytes()))
}

fn compact(json: &str, to: &mut String) {
    let (mut inside, mut escaped) = (false, false);
    for char in json.chars() {
        if inside {
            inside = escaped || char != '"';
            escaped = !escaped && char == '\\';
        } else if matches!(char, ' ' | '\n' | '\r' | '\t') {
            continue;
        } else {
            inside = char == '"';
        }
        to.push(char);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_white_space_between_tokens_does_not_count() {
        let mut text = String::new();
        compact("{\"a \\\" b\\\\\" :\n[1, \"\t\"] }", &mut text);
        assert_eq!(text, "{\"a \\\" b\\\\\":[1,\"\t\"]}");
        assert_eq!(of([Some("[1, 2]"), None, None]), of([Some("[1,2]"), Some("null"), None]));
        assert_ne!(of([Some("1"), Some("2"), None]), of([Some("1"), None, Some("2")]));
        assert_ne!(of([Some("\"a b\""), None, None]), of([Some("\"ab\""), None, None]));
    }
}
