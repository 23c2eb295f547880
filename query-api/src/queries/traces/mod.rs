//! Traces and spans.

pub mod documents;
mod get;
mod list;
mod payloads;
mod rows;
mod span;
mod spans;

pub use get::{get, visible};
pub use list::list;
pub use rows::TraceRow;
pub use span::span;
pub use spans::spans;

pub(crate) use crate::stores::down;
