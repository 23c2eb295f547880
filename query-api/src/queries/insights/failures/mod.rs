//! Failed traces by error pattern: [`patterns`] groups the signatures of the whole tenant, so that a cluster's id does not
//! depend on what is asked; [`counts`] counts what is asked about.

mod asked;
mod counts;
pub mod documents;
mod list;
mod patterns;
mod traces;

pub use list::list;
pub use traces::traces;
