//! A payload as the alignment knows it.

use xxhash_rust::xxh3::xxh3_64;

use super::sketch::Sketch;
use super::{json, mix};

/// Two that are not the same.
const MOST_ALIKE: i32 = 950;

#[derive(Clone, Debug)]
pub struct Content {
    hash: u64,
    sketch: Sketch,
}

impl Content {
    /// The same however it was written, and in whatever order its fields stand.
    pub fn json(text: &str) -> Content {
        Content { hash: json::hash(text), sketch: Sketch::of(text) }
    }

    pub fn text(text: &str) -> Content {
        Content { hash: xxh3_64(text.as_bytes()), sketch: Sketch::of(text) }
    }

    /// Of a text that is too long to be here: its beginning, and a hash of all of it.
    pub fn beginning(head: &str, hash: u64) -> Content {
        // Beside the hashes of whole texts it must be another.
        Content { hash: mix(hash, xxh3_64(b"beginning")), sketch: Sketch::of(head) }
    }

    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// Whether there is no word in it.
    pub(super) fn is_empty(&self) -> bool {
        self.sketch.is_empty()
    }

    /// In thousandths; all of them only where both say the same. `usual`: how alike any two such are, which counts as not at all.
    pub(super) fn likeness(&self, other: &Content, usual: i32) -> i32 {
        if self.hash == other.hash {
            return 1_000;
        }
        let alike = self.sketch.likeness(&other.sketch).min(MOST_ALIKE);
        let usual = usual.min(MOST_ALIKE);
        (alike - usual).max(0) * 1_000 / (1_000 - usual)
    }
}

/// Whether two values that may be absent are the same.
pub(super) fn same(a: &Option<Content>, b: &Option<Content>) -> bool {
    a.as_ref().map(Content::hash) == b.as_ref().map(Content::hash)
}
