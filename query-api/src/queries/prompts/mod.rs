//! Prompts: the list, one, its versions, and what differs between two of them.

mod diff;
pub mod documents;
mod find;
mod get;
mod list;
mod uses;
mod versions;

pub use diff::diff;
pub use get::get;
pub use list::list;
pub use uses::uses;
pub use versions::versions;
