//! The message in a failure's text: without the frames of its stack.

use std::borrow::Cow;

/// What of a text is looked at.
const MOST_BYTES: usize = 4096;

/// The text's beginning without stack frames; all of it where nothing else would be left.
pub(crate) fn message(text: &str) -> Cow<'_, str> {
    let text = beginning(text);
    if !text.contains('\n') {
        return Cow::Borrowed(text);
    }
    let mut kept = String::with_capacity(text.len());
    let mut in_python_frame = false;
    for line in text.lines() {
        let trimmed = line.trim_start();
        let indented = trimmed.len() < line.len();
        // The source line and the carets below a Python frame.
        let below = in_python_frame && indented && !is_python_frame(trimmed);
        if is_python_frame(trimmed) {
            in_python_frame = true;
        } else if !below {
            in_python_frame = false;
        }
        if trimmed.is_empty() || below || in_python_frame || is_frame(trimmed, indented) {
            continue;
        }
        if !kept.is_empty() {
            kept.push(' ');
        }
        kept.push_str(trimmed);
    }
    if kept.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(kept) }
}

fn beginning(text: &str) -> &str {
    let mut end = text.len().min(MOST_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn is_python_frame(line: &str) -> bool {
    line.starts_with("File \"") && line.contains(", line ")
}

/// Java, JavaScript and Go frames, and the lines that announce frames.
fn is_frame(line: &str, indented: bool) -> bool {
    line.starts_with("Traceback (most recent call last)")
        || line.starts_with("During handling of the above exception")
        || line.starts_with("The above exception was the direct cause")
        || line.starts_with("goroutine ")
        || (indented && (line.starts_with("at ") || line.starts_with("... ")))
        || (indented && line.starts_with('/') && line.contains(".go:"))
        || (line.starts_with("at ") && line.ends_with(')') && line.contains('('))
}
