//! Datasets: items that evaluations run on, one by one, from traces, or imported.

mod csv;
pub mod documents;
mod handlers;
mod import;
mod items;
mod lines;
mod parse;
mod snapshot;

pub use handlers::{delete, patch, post};
pub use import::import;
pub use items::{delete as delete_item, patch as patch_item, post as post_item};
