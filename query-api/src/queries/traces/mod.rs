//! Traces and spans.

pub mod diff;
pub mod documents;
mod get;
mod list;
mod payloads;
mod place;
mod rows;
mod span;
mod spans;

pub use diff::diff;
pub use get::{get, visible};
pub use list::list;
pub use place::place;
pub use rows::TraceRow;
pub use span::span;
pub use spans::spans;

pub(crate) use crate::stores::down;
