//! Datasets, their versions and their items, as they are and as they were.

pub mod documents;
mod export;
mod find;
mod get;
mod hash;
mod items;
mod list;
mod page;
mod versions;

pub use export::export;
pub use get::get;
pub use items::{get as item, list as items};
pub use list::list;
pub use versions::versions;
