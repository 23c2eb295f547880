//! Skills: the list, one, and its versions.

pub mod documents;
mod get;
mod list;
mod versions;

pub use get::get;
pub use list::list;
pub use versions::versions;
