//! A signature's pieces: words, marks of punctuation, and masks in place of values.

/// What stands for a value.
pub(super) const MASKS: [&str; 8] = ["<num>", "<id>", "<time>", "<url>", "<path>", "<str>", "<json>", ANY];

/// Different values in the signatures of one pattern.
pub(super) const ANY: &str = "<*>";

/// Ends a word and is a piece of its own.
pub(super) fn is_mark(byte: u8) -> bool {
    matches!(
        byte,
        b'=' | b':'
            | b','
            | b';'
            | b'('
            | b')'
            | b'['
            | b']'
            | b'{'
            | b'}'
            | b'|'
            | b'"'
            | b'\''
            | b'`'
            | b'<'
            | b'>'
            | b'&'
            | b'#'
            | b'@'
            | b'/'
            | b'\\'
            | b'!'
            | b'?'
            | b'*'
            | b'$'
    )
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    pub text: &'a str,
    /// Whether white space stood before it.
    pub spaced: bool,
}

impl Piece<'_> {
    pub fn is_mask(&self) -> bool {
        MASKS.contains(&self.text)
    }
}

pub(super) fn join(pieces: &[Piece<'_>]) -> String {
    let mut text = String::with_capacity(pieces.iter().map(|piece| piece.text.len() + 1).sum());
    for piece in pieces {
        if piece.spaced && !text.is_empty() {
            text.push(' ');
        }
        text.push_str(piece.text);
    }
    text
}

/// The mask that a text begins with.
pub(super) fn mask_at(text: &str) -> Option<&'static str> {
    text.starts_with('<').then(|| MASKS.into_iter().find(|mask| text.starts_with(mask)))?
}
