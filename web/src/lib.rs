//! The pages that people see: a tape's page, its player, what a link to it unfolds to. No I/O: plain structs in, bytes out.
//!
//! | who asks | answered by | headers |
//! |---|---|---|
//! | `/t/:slug` | [`tape_page`] | with the page: [`headers::PAGE`] |
//! | `/embed/:slug` | [`embed_page`] | with the page: [`headers::EMBED`] |
//! | either, where there is no such tape | [`missing_page`], as a 404 | with the page: [`headers::PAGE`] |
//! | `/assets/:hash/:path` | [`asset`] | [`headers::ASSET`] and its content type |
//! | `/t/:slug/card.png` | [`card`] | [`headers::CARD`] |
//! | `/oembed?url=` | [`oembed::slug_of`], [`oembed::Answer`] | [`headers::OEMBED`] |
//!
//! The player fetches steps as the tape has them, a few at a time, from `/api/v1/tapes/:slug/steps?from=&limit=`: `from` counts from 1,
//! and the answer's `steps` are those from there on, of which it reads `name`, `input`, `output`, `error` and `metadata`. An answer may
//! end early, but not before its first step.

mod assets;
mod card;
pub mod headers;
mod lanes;
pub mod oembed;
mod outline;
mod pages;
mod tape;
mod text;
mod words;

pub use assets::{Asset, asset};
pub use card::card;
pub use outline::outline;
pub use pages::{Page, embed_page, missing_page, tape_page};
pub use tape::{Contents, Figures, Step, Tape};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("a page was not rendered: {0}")]
    Page(#[from] askama::Error),
    #[error("a card was not drawn: {0}")]
    Card(#[from] png::EncodingError),
    #[error("the font of cards cannot be read: {0}")]
    Font(#[from] ab_glyph::InvalidFont),
    #[error("an outline was not written: {0}")]
    Outline(#[from] serde_json::Error),
}
