//! Tapes: your own, those that are listed, and one by its slug, which is all that its reader needs to have.

pub mod documents;
mod explore;
mod export;
mod find;
mod list;
mod open;
pub mod pages;
mod steps;
mod views;

pub use explore::{Rankings, explore};
pub use export::export;
pub use list::list;
pub use open::{get, outline};
pub use steps::{steps, trace};
