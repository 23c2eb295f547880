//! Credentials in texts that leave the installation. What stands where one was says of which kind it was.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex, RegexSet};

/// A pattern and what its match is called; group `k` is kept in front of it.
const PATTERNS: &[(&str, &str)] = &[
    (r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\z)", "private key"),
    (r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?", "token"),
    (r"\b(?:sk|rk|pk)[-_](?:[A-Za-z0-9]+[-_])*[A-Za-z0-9_-]{16,}", "key"),
    (r"\bAIza[A-Za-z0-9_-]{30,}", "key"),
    (r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b", "key"),
    (r"\b(?:gh[pousr]_|github_pat_|glpat-|npm_|hf_|gsk_|xai-|pypi-)[A-Za-z0-9_-]{16,}", "token"),
    (r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}", "token"),
    (r"\brt_(?:live_)?[A-Za-z0-9_-]{16,}", "key"),
    (r"(?i)(?P<k>\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{12,}", "credentials"),
    (r"(?P<k>[A-Za-z][A-Za-z0-9+.-]*://[^\s:/@]*:)[^\s/@]+@", "password"),
    (
        r#"(?i)(?P<k>\b[A-Za-z0-9_-]*(?:api[_-]?key|secret|passw(?:or)?d|token|authorization|credentials?|private[_-]?key)\\?["']?\s*[:=]\s*\\?["']?)(?P<v>[^\s"',;&}\\]{6,})"#,
        "secret",
    ),
];

struct Patterns {
    any: RegexSet,
    each: Vec<(Regex, &'static str)>,
}

/// The patterns are constants: a test compiles them.
static COMPILED: LazyLock<Option<Patterns>> = LazyLock::new(|| {
    let each = PATTERNS.iter().map(|(pattern, name)| Some((Regex::new(pattern).ok()?, *name)));
    let any = RegexSet::new(PATTERNS.iter().map(|(pattern, _)| pattern)).ok()?;
    Some(Patterns { any, each: each.collect::<Option<_>>()? })
});

/// The text without credentials that can be told from their form.
pub fn mask(text: &str) -> Cow<'_, str> {
    let Some(patterns) = COMPILED.as_ref() else { return Cow::Borrowed("<not shown>") };
    let found = patterns.any.matches(text);
    if !found.matched_any() {
        return Cow::Borrowed(text);
    }
    let mut masked = text.to_owned();
    for place in found.iter() {
        let Some((pattern, name)) = patterns.each.get(place) else { continue };
        let replace = |captures: &Captures<'_>| {
            let whole = captures.get(0).map_or("", |found| found.as_str());
            // Numbers are counts, and what is masked is no secret any more.
            let harmless = |value: &str| {
                let is_scheme = ["bearer", "basic", "digest"].iter().any(|scheme| value.eq_ignore_ascii_case(scheme));
                value.starts_with('<') || is_scheme || value.bytes().all(|byte| byte.is_ascii_digit())
            };
            if captures.name("v").is_some_and(|value| harmless(value.as_str())) {
                return whole.to_owned();
            }
            let kept = captures.name("k").map_or("", |found| found.as_str());
            let at = if whole.ends_with('@') { "@" } else { "" };
            format!("{kept}<{name}>{at}")
        };
        masked = pattern.replace_all(&masked, replace).into_owned();
    }
    Cow::Owned(masked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_masked() {
        assert!(COMPILED.is_some());
        for (text, expected) in [
            ("Incorrect API key provided: sk-proj-abcdEFGH1234567890abcd.", "Incorrect API key provided: <key>."),
            ("x-api-key: sk-ant-api03-AbCdEfGhIjKlMnOpQrStUv", "x-api-key: <key>"),
            ("Authorization: Bearer abc.def-ghi_123456", "Authorization: Bearer <credentials>"),
            ("postgres://bob:hunter2@db/x", "postgres://bob:<password>@db/x"),
            (r#"{"api_key": "0123456789abcdef", "q": "rust"}"#, r#"{"api_key": "<secret>", "q": "rust"}"#),
            (r#"{\"password\":\"correct horse\"}"#, r#"{\"password\":\"<secret> horse\"}"#),
            ("key AIzaSyA1234567890abcdefghijklmnopqrstuv!", "key <key>!"),
            ("AKIAIOSFODNN7EXAMPLE", "<key>"),
            ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "<token>"),
            ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----, then", "<private key>, then"),
            ("-----BEGIN PRIVATE KEY-----\nMIIE and cut", "<private key>"),
            ("token=ghp_abcdefghijklmnopqrstuvwxyz0123456789", "token=<token>"),
        ] {
            assert_eq!(mask(text), expected, "{text}");
        }
    }

    #[test]
    fn other_text_is_left_as_it_is() {
        for text in [
            "max_tokens: 4096000, input_tokens=1234567",
            "the token bucket is empty; a secret garden",
            "Rate limit reached for gpt-4o in organization org-abc: retry in 2 s (https://a.b/c?d=e:f)",
            r#"{"token": 123456789}"#,
            "",
        ] {
            assert_eq!(mask(text), text);
        }
    }

    #[test]
    fn masking_again_changes_nothing() {
        let once = mask("password=<hunter-two> Bearer abcdefghijklmnop sk-abcdefghijklmnopqrst").into_owned();
        assert_eq!(mask(&once), once);
    }
}
