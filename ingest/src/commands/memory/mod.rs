//! Memory: what agents keep between runs, by key within a scope.

pub mod documents;
mod handlers;
mod parse;

pub use handlers::{delete, post};
