//! How alike two texts are, from 128 bytes of each: MinHash in one permutation over their words and pairs of words.

use xxhash_rust::xxh3::xxh3_64;

use super::mix;

pub(super) const BINS: usize = 64;
const EMPTY: u16 = u16::MAX;
/// What of a text is looked at.
const MOST_BYTES: usize = 8_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sketch([u16; BINS]);

impl Sketch {
    pub fn of(text: &str) -> Sketch {
        let text = &text[..text.floor_char_boundary(MOST_BYTES)];
        let mut bins = [EMPTY; BINS];
        let mut put = |hash: u64| {
            let bin = &mut bins[(hash >> 32) as usize % BINS];
            *bin = (*bin).min(hash as u16);
        };
        let mut before = None;
        for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
            let word = xxh3_64(word.as_bytes());
            put(word);
            if let Some(before) = before.replace(word) {
                put(mix(before, word));
            }
        }
        Sketch(bins)
    }

    pub fn is_empty(&self) -> bool {
        self.0 == [EMPTY; BINS]
    }

    /// In thousandths: the share of the words and pairs of either text that both have, estimated. Bins that are empty in
    /// both say nothing.
    pub fn likeness(&self, other: &Sketch) -> i32 {
        // Small numbers that are not checked for overflow, so that many bins are compared at once.
        let (mut equal, mut filled) = (0_u16, 0_u16);
        for (a, b) in self.0.iter().zip(&other.0) {
            equal = equal.wrapping_add(u16::from(a == b));
            filled = filled.wrapping_add(u16::from(a & b != EMPTY));
        }
        let same = i32::from(equal) - (BINS as i32 - i32::from(filled));
        if filled == 0 { 0 } else { 1_000 * same / i32::from(filled) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn likeness(a: &str, b: &str) -> i32 {
        Sketch::of(a).likeness(&Sketch::of(b))
    }

    #[test]
    fn the_more_words_two_texts_share_the_more_alike_they_are() {
        let words = |range: std::ops::Range<u32>| range.map(|n| format!("w{n}")).collect::<Vec<_>>().join(" ");
        let text = words(0..100);
        assert_eq!(likeness(&text, &text), 1_000);
        let (near, far, other) = (words(10..110), words(60..160), words(100..200));
        assert!(likeness(&text, &near) > likeness(&text, &far), "{}", likeness(&text, &near));
        assert!(likeness(&text, &far) > likeness(&text, &other));
        assert!(likeness(&text, &other) < 100);
        assert_eq!(likeness("", "?!"), 0);
    }
}
