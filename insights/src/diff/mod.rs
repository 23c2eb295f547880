//! What differs between two runs. Their steps are put beside each other by what they are and what they say, not by their
//! numbers ([`compare`]); of a pair it is told which values differ ([`json`]) and which words ([`text`]), and of two groups
//! of runs which step differs how often ([`compare_groups`]).

mod align;
mod anchors;
mod compare;
mod content;
mod gap;
mod groups;
pub mod json;
mod likeness;
mod loops;
mod moved;
mod run;
mod sketch;
pub mod text;

pub use compare::{Comparison, Divergence, Pair, Part, Status, compare};
pub use content::Content;
pub use groups::{Added, Counts, Groups, Rates, compare_groups};
pub use run::{Run, Step};

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// One hash of two.
fn mix(a: u64, b: u64) -> u64 {
    xxh3_64_with_seed(&b.to_le_bytes(), a)
}
