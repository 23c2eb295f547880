//! Texts of a tape come from anywhere. What would be invisible, or turn the direction of what stands around it, is shown:
//! the twin of `assets/player/text.js`.

use std::fmt::Write;

/// Control, bidi and zero-width characters. Line feed and tab are none of them.
pub(crate) fn is_hidden(character: char) -> bool {
    matches!(character,
        '\0'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'
        | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// `text` with what is hidden shown by a picture or its code.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let code = u32::from(character);
        match character {
            '\r' if characters.peek() == Some(&'\n') => {}
            '\0'..='\u{1f}' if is_hidden(character) => shown.extend(char::from_u32(0x2400 + code)),
            '\u{7f}' => shown.push('\u{2421}'),
            _ if is_hidden(character) => {
                // Writing to a String does not fail.
                let _ = write!(shown, "⟨U+{code:04X}⟩");
            }
            _ => shown.push(character),
        }
    }
    shown
}

/// JSON that stands in a page: no tag ends it, and its source shows what is hidden.
pub(crate) fn in_page(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        if character == '<' || is_hidden(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a String does not fail.
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(character);
        }
    }
    escaped
}

/// The first `most` characters, with an ellipsis where there are more.
pub(crate) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{cut, in_page, visible};

    #[test]
    fn json_in_a_page_has_no_tags_and_hides_nothing() {
        let texts = ["</script>", "\u{202e}evil", "\u{e0041}", "日本"];
        let json = serde_json::to_string(&texts).unwrap();
        let escaped = in_page(&json);
        assert_eq!(escaped, r#"["\u003c/script>","\u202eevil","\udb40\udc41","日本"]"#);
        assert_eq!(serde_json::from_str::<[String; 4]>(&escaped).unwrap(), texts);
    }

    #[test]
    fn what_is_hidden_is_shown() {
        assert_eq!(visible("a\0b\u{7}\u{7f}"), "a␀b␇␡");
        assert_eq!(visible("\u{202e}evil\u{2069}"), "⟨U+202E⟩evil⟨U+2069⟩");
        assert_eq!(visible("no\u{200b}break\u{feff}"), "no⟨U+200B⟩break⟨U+FEFF⟩");
        assert_eq!(visible("\u{e0041}"), "⟨U+E0041⟩");
    }

    #[test]
    fn lines_words_and_scripts_stay() {
        let text = "one\ttwo\nمرحبا — 日本 👩\u{200d}🔬";
        assert_eq!(visible(text), text);
        assert_eq!(visible("one\r\ntwo\rthree"), "one\ntwo␍three");
    }

    #[test]
    fn a_cut_keeps_whole_characters() {
        assert_eq!(cut("日本語", 2), "日本…");
        assert_eq!(cut("日本", 2), "日本");
    }
}
