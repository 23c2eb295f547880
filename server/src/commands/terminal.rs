//! Text for a terminal: colours where there is one, and no control character that somebody recorded.

use std::fmt::Write as _;
use std::io::{ErrorKind, IsTerminal, Write as _};

#[derive(Clone, Copy)]
pub(super) enum Style {
    Bold,
    Dim,
    Red,
    Green,
    Yellow,
    Cyan,
}

/// What colours the output, or leaves it as it is.
#[derive(Clone, Copy)]
pub(super) struct Paint {
    is_coloured: bool,
}

impl Paint {
    /// Colours where standard output is a terminal, unless `NO_COLOR` says otherwise (no-color.org).
    pub fn of_stdout() -> Paint {
        let is_refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Paint { is_coloured: !is_refused && std::io::stdout().is_terminal() }
    }

    pub fn is_coloured(self) -> bool {
        self.is_coloured
    }

    pub fn with(self, style: Style, text: &str) -> String {
        if !self.is_coloured || text.is_empty() {
            return text.to_owned();
        }
        let code = match style {
            Style::Bold => 1,
            Style::Dim => 2,
            Style::Red => 31,
            Style::Green => 32,
            Style::Yellow => 33,
            Style::Cyan => 36,
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    #[cfg(test)]
    pub fn plain() -> Paint {
        Paint { is_coloured: false }
    }

    #[cfg(test)]
    pub fn coloured() -> Paint {
        Paint { is_coloured: true }
    }
}

/// To standard output; a reader that has seen enough is no error.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(fault) if fault.kind() != ErrorKind::BrokenPipe => Err(fault.into()),
        _ => Ok(()),
    }
}

/// On one line: what steers a terminal is shown by its number.
pub(super) fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' => shown.push_str("\\n"),
            '\t' => shown.push_str("\\t"),
            letter if steers(letter) => {
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(letter));
            }
            letter => shown.push(letter),
        }
    }
    shown
}

/// JSON that says the same, with what steers a terminal escaped. Outside of texts there is none of it but space.
pub(super) fn plain_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for letter in json.chars() {
        if steers(letter) && !letter.is_ascii_whitespace() {
            let _ = write!(shown, "\\u{:04x}", u32::from(letter));
        } else {
            shown.push(letter);
        }
    }
    shown
}

/// Whether it would move the cursor, colour the terminal, or turn the direction of text: controls, bidirectional marks,
/// embeddings and isolates, separators of lines.
fn steers(letter: char) -> bool {
    let is_invisible =
        matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    letter.is_control() || is_invisible
}

/// As [`plain`], the beginning of a long text.
pub(super) fn brief(text: &str, letters: usize) -> String {
    match text.char_indices().nth(letters) {
        Some((end, _)) => format!("{}…", plain(&text[..end])),
        None => plain(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_recorded_steers_the_terminal() {
        let hostile = "a\u{1b}[2Jb\u{9b}31mc\r\n\u{202e}d\u{7}\u{0}ü😀";
        assert_eq!(plain(hostile), "a\\u{1b}[2Jb\\u{9b}31mc\\u{d}\\n\\u{202e}d\\u{7}\\u{0}ü😀");
        let json = serde_json::Value::from(hostile).to_string();
        assert!(json.contains('\u{9b}') && !plain_json(&json).contains(steers));
        assert_eq!(serde_json::from_str::<String>(&plain_json(&json)).unwrap(), hostile);
        assert_eq!(brief("abcdef", 3), "abc…");
        assert_eq!(brief("abc", 3), "abc");
    }

    #[test]
    fn colours_are_for_terminals() {
        assert_eq!(Paint::plain().with(Style::Red, "x"), "x");
        assert_eq!(Paint::coloured().with(Style::Red, "x"), "\u{1b}[31mx\u{1b}[0m");
        assert_eq!(Paint::coloured().with(Style::Red, ""), "");
    }
}
