//! Tapes as files, which another server reads back (docs/TAPES.md), and how tapes are called.

mod file;
mod line;
mod slug;

use serde::Serialize;

pub use file::{TapeFile, read, snapshot_hash, write};
pub use line::{About, StepLine, TraceLine};
pub use slug::{id, slug};

/// Steps of a tape.
pub const MOST_STEPS: usize = 10_000;
/// Characters of a title.
pub const LONGEST_TITLE: usize = 200;
/// Bytes of a description.
pub const LONGEST_DESCRIPTION: usize = 16_384;
pub const MOST_TAGS: usize = 16;
/// Characters of a tag.
pub const LONGEST_TAG: usize = 64;
/// Characters of a name, as spans have them.
pub const LONGEST_NAME: usize = 4_096;
/// Characters of a model and of an agent.
pub const LONGEST_ID: usize = 512;

/// One line of JSON. What was sent over several lines has line breaks between its tokens, and only there.
pub fn to_line<T: Serialize>(value: &T) -> serde_json::Result<String> {
    Ok(serde_json::to_string(value)?.replace(['\n', '\r'], " "))
}
