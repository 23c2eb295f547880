//! Memory: the list, one entry, and search.

pub mod documents;
mod filters;
mod get;
mod list;
mod search;
mod words;

pub use get::get;
pub use list::list;
pub use search::search;
