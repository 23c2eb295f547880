//! How a tape is called in addresses: words of its title, for readers, and a name that cannot be guessed. The words decide
//! nothing.

use uuid::Uuid;

use crate::sealing;

/// Crockford's digits: none is taken for another.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Of five bits each: a hundred in all.
const NAME_LENGTH: usize = 20;
const LONGEST_WORDS: usize = 48;
/// Where a title has no words that an address can show.
const NO_WORDS: &str = "tape";

/// `random` is not to be known to anyone.
pub fn slug(title: &str, random: u128) -> String {
    let name = (0..NAME_LENGTH).map(|at| char::from(DIGITS[(random >> (5 * at)) as usize & 31]));
    format!("{}-{}", words(title), name.collect::<String>())
}

/// The id of the tape that a slug names; none: it names nothing.
pub fn id(slug: &str) -> Option<String> {
    let (_, name) = slug.rsplit_once('-')?;
    let is_name = name.len() == NAME_LENGTH && name.bytes().all(|byte| DIGITS.contains(&byte));
    // The log and the stores are not to say what opens an unlisted tape.
    let hash = sealing::sha256(format!("tape\0{name}").as_bytes());
    let id = hash.first_chunk::<16>().filter(|_| is_name)?;
    Some(Uuid::from_bytes(*id).to_string())
}

fn words(title: &str) -> String {
    let mut words = String::new();
    for word in title.split(|char: char| !char.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        let is_first = words.is_empty();
        if !is_first && words.len() + 1 + word.len() > LONGEST_WORDS {
            break;
        }
        words.extend((!is_first).then_some('-'));
        words.extend(word.chars().take(LONGEST_WORDS).map(|char| char.to_ascii_lowercase()));
    }
    if words.is_empty() { NO_WORDS.to_owned() } else { words }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_read_by_its_name_alone() {
        let slug = slug("How I fixed  it: 3 retries!", u128::MAX / 3);
        assert_eq!(slug, "how-i-fixed-it-3-retries-nananananananananana");
        let named = id(&slug).unwrap();
        assert_eq!(id("other-words-nananananananananana"), Some(named.clone()));
        assert_ne!(id("how-i-fixed-it-3-retries-nananananananananan0"), Some(named));
        for none in
            ["", "nananananananananana", "tape-short", "tape-NANANANANANANANANANA", "tape-nanananananananananaé"]
        {
            assert_eq!(id(none), None, "{none}");
        }
    }

    #[test]
    fn a_title_without_words_and_a_long_one_have_their_slugs() {
        assert!(slug("日本語", 0).starts_with("tape-0000"));
        let long = slug(&"many words ".repeat(50), 0);
        assert!(long.len() <= LONGEST_WORDS + 1 + NAME_LENGTH && long.starts_with("many-words-"), "{long}");
        assert!(slug(&"x".repeat(5000), 0).len() <= LONGEST_WORDS + 1 + NAME_LENGTH);
    }
}
