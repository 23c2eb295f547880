//! Texts in words or lines, and which of them differ.

use std::time::Instant;

use similar::{Algorithm, DiffTag, capture_diff_slices_deadline};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Equal,
    Delete,
    Insert,
}

impl Op {
    pub fn name(self) -> &'static str {
        match self {
            Op::Equal => "equal",
            Op::Delete => "delete",
            Op::Insert => "insert",
        }
    }
}

/// Rows of equal, deleted and inserted pieces; after the deadline the rest is compared coarsely.
pub fn edits<'t>(before: &[&'t str], after: &[&'t str], deadline: Instant) -> Vec<(Op, Vec<&'t str>)> {
    let mut found: Vec<(Op, Vec<&'t str>)> = Vec::new();
    let mut push = |op: Op, pieces: &[&'t str]| match found.last_mut() {
        _ if pieces.is_empty() => {}
        Some((last, row)) if *last == op => row.extend(pieces),
        _ => found.push((op, pieces.to_vec())),
    };
    for part in capture_diff_slices_deadline(Algorithm::Myers, before, after, Some(deadline)) {
        let (tag, old, new) = part.as_tag_tuple();
        if tag == DiffTag::Equal {
            push(Op::Equal, &before[old]);
        } else {
            push(Op::Delete, &before[old]);
            push(Op::Insert, &after[new]);
        }
    }
    found
}

/// As [`edits`], of the words of two texts. Space between two words that are both replaced is replaced with them.
pub fn words(before: &str, after: &str, deadline: Instant) -> Vec<(Op, String)> {
    let mut found = Vec::new();
    let (mut deleted, mut inserted) = (String::new(), String::new());
    for (op, pieces) in edits(&pieces(before), &pieces(after), deadline) {
        let text = pieces.concat();
        match op {
            Op::Delete => deleted.push_str(&text),
            Op::Insert => inserted.push_str(&text),
            Op::Equal if !deleted.is_empty() && !inserted.is_empty() && text.trim().is_empty() => {
                deleted.push_str(&text);
                inserted.push_str(&text);
            }
            Op::Equal => {
                replace(&mut found, &mut deleted, &mut inserted);
                push(&mut found, Op::Equal, &text);
            }
        }
    }
    replace(&mut found, &mut deleted, &mut inserted);
    found
}

/// One text by the other. Space that both end with stays.
fn replace(found: &mut Vec<(Op, String)>, deleted: &mut String, inserted: &mut String) {
    let space = deleted[deleted.trim_end().len()..].to_owned();
    let stays = if inserted[inserted.trim_end().len()..] == *space { space.as_str() } else { "" };
    deleted.truncate(deleted.len() - stays.len());
    inserted.truncate(inserted.len() - stays.len());
    push(found, Op::Delete, deleted);
    push(found, Op::Insert, inserted);
    push(found, Op::Equal, stays);
    deleted.clear();
    inserted.clear();
}

fn push(found: &mut Vec<(Op, String)>, op: Op, text: &str) {
    match found.last_mut() {
        _ if text.is_empty() => {}
        Some((last, before)) if *last == op => before.push_str(text),
        _ => found.push((op, text.to_owned())),
    }
}

/// Words, the space between them, and every other character.
fn pieces(text: &str) -> Vec<&str> {
    #[derive(PartialEq)]
    enum Kind {
        Word,
        Space,
        Other,
    }
    let kind = |c: char| match c {
        c if c.is_alphanumeric() || c == '_' => Kind::Word,
        c if c.is_whitespace() => Kind::Space,
        _ => Kind::Other,
    };
    let mut pieces = Vec::new();
    let mut from = 0;
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let end = at + letter.len_utf8();
        let goes_on = letters.peek().is_some_and(|(_, next)| kind(*next) == kind(letter));
        if kind(letter) == Kind::Other || !goes_on {
            pieces.push(&text[from..end]);
            from = end;
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn shown(before: &str, after: &str) -> Vec<String> {
        let line = |(op, text): (Op, String)| format!("{} {text}", op.name());
        words(before, after, Instant::now() + Duration::from_secs(1)).into_iter().map(line).collect()
    }

    #[test]
    fn words_that_stay_go_and_come() {
        assert_eq!(
            shown("What is the capital of France?", "What is the largest city of France?"),
            ["equal What is the ", "delete capital", "insert largest city", "equal  of France?"]
        );
        assert_eq!(shown("two old words", "2 new words"), ["delete two old", "insert 2 new", "equal  words"]);
        assert_eq!(shown("a_b, ü", "a_b; ü"), ["equal a_b", "delete ,", "insert ;", "equal  ü"]);
        assert_eq!(shown("same", "same"), ["equal same"]);
        assert_eq!(shown("", "new"), ["insert new"]);
    }
}
