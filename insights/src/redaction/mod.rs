//! What is taken out of payloads before they are public: credentials and e-mail addresses by their form, and fields by name.

mod json;

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

use crate::secrets;

pub use json::redact;

/// What stands where a field was left out.
pub const LEFT_OUT: &str = "<left out>";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detector {
    Keys,
    Emails,
}

impl Detector {
    pub const ALL: [Detector; 2] = [Detector::Keys, Detector::Emails];

    pub fn as_str(self) -> &'static str {
        match self {
            Detector::Keys => "keys",
            Detector::Emails => "emails",
        }
    }

    pub fn parse(text: &str) -> Option<Detector> {
        Detector::ALL.into_iter().find(|detector| detector.as_str() == text)
    }
}

/// The way to a value within a payload: names, or `*` for any.
pub type Path = Vec<String>;

/// Why something of a payload is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    Detected(Detector),
    LeftOut,
}

/// Where something was taken out: `messages[0].content`, empty for the payload itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub path: String,
    pub cause: Cause,
}

/// The pattern is a constant: a test compiles it.
static EMAIL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)[a-z0-9][a-z0-9._%+-]{0,63}@[a-z0-9](?:[a-z0-9-]{0,62}\.)+[a-z][a-z-]{1,62}").ok()
});

/// The text without what the detectors find, and which of them have found something.
pub fn mask<'a>(text: &'a str, detectors: &[Detector]) -> (Cow<'a, str>, Vec<Detector>) {
    let (mut masked, mut found) = (Cow::Borrowed(text), Vec::new());
    for detector in detectors {
        let changed = match detector {
            Detector::Keys => changed(secrets::mask(&masked)),
            Detector::Emails => match EMAIL.as_ref() {
                Some(email) => changed(email.replace_all(&masked, "<email>")),
                None => Some("<not shown>".to_owned()),
            },
        };
        if let Some(changed) = changed {
            masked = Cow::Owned(changed);
            found.push(*detector);
        }
    }
    (masked, found)
}

fn changed(masked: Cow<'_, str>) -> Option<String> {
    match masked {
        Cow::Borrowed(_) => None,
        Cow::Owned(text) => Some(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_masked_and_what_only_looks_like_one_is_not() {
        assert!(EMAIL.is_some());
        for (text, expected) in [
            ("write to Ann.Lee+x@mail.example.co.uk, please", "write to <email>, please"),
            ("<ann@example.com>", "<<email>>"),
            ("@ann on example.com; a@b; user@localhost", "@ann on example.com; a@b; user@localhost"),
        ] {
            assert_eq!(mask(text, &Detector::ALL).0, expected);
        }
        assert_eq!(mask("ann@example.com", &[Detector::Keys]).0, "ann@example.com");
        assert_eq!(
            mask("sk-abcdefghijklmnopqrst of ann@example.com", &Detector::ALL),
            (Cow::Borrowed("<key> of <email>"), Detector::ALL.to_vec())
        );
    }
}
