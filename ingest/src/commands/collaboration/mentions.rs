//! `@user` in a text: a user id of letters, digits and `_ - . @` behind an `@` that does not go on from another word, as
//! in an address. Code between backticks mentions nobody.

/// Longer ones are no user ids.
const LONGEST_ID: usize = 256;

/// In the order of their first appearance.
pub fn mentions(text: &str) -> Vec<String> {
    let parts: Vec<&str> = text.split('`').collect();
    // A backtick that none closes begins no code.
    let is_unclosed = |at: usize| parts.len().is_multiple_of(2) && at == parts.len() - 1;
    let mut found: Vec<String> = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        if at % 2 == 0 || is_unclosed(at) {
            in_words(part, &mut found);
        }
    }
    found
}

fn in_words(text: &str, found: &mut Vec<String>) {
    for word in text.split(|letter: char| !is_of_a_word(letter)) {
        let Some(user) = word.strip_prefix('@') else { continue };
        // What ends a sentence ends no id.
        let user = user.trim_end_matches(['.', '-', '@']);
        let is_id = user.starts_with(|letter: char| letter.is_ascii_alphanumeric() || letter == '_')
            && user.len() <= LONGEST_ID
            && user.chars().all(is_of_an_id);
        if is_id && !found.iter().any(|known| known == user) {
            found.push(user.to_owned());
        }
    }
}

fn is_of_an_id(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.' | '@')
}

/// Letters of any script go on with a word, though no id has them.
fn is_of_a_word(letter: char) -> bool {
    letter.is_alphanumeric() || is_of_an_id(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mention_is_a_user_behind_an_at_sign() {
        for (text, users) in [
            ("@user_2abc, look (@ann)! @ann @bob-2.x.", "user_2abc ann bob-2.x"),
            ("@ann@example.com wrote to bob@example.com", "ann@example.com"),
            ("@@ann @ @. @-x é@ann @é @anné", ""),
            ("a `@property` and ```\n@decorated\n``` but @ann", "ann"),
            ("it`s @ann", "ann"),
            ("`x` it`s @ann", "ann"),
            ("", ""),
        ] {
            assert_eq!(mentions(text).join(" "), users, "{text}");
        }
        assert_eq!(mentions(&format!("@{} @{}", "a".repeat(257), "b".repeat(256))), ["b".repeat(256)]);
    }
}
