//! Tapes: a trace as it is now, without what is not to be public, in as many events as records must be small (ADR 0024).

mod cut;
pub mod documents;
mod figures;
mod handlers;
mod import;
mod parse;
mod parts;
mod preview;
mod snapshot;
mod views;

pub use handlers::{delete, patch, post};
pub use import::import;
pub use preview::preview;
pub use views::viewed;
