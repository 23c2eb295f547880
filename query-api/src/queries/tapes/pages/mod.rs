//! Tapes as people see them: the page, the player in a frame, and what a link to either unfolds to. Drawn by `web`.

mod answers;
mod opened;

pub use answers::{asset, asset_of_folder, card, embed, oembed, page};
