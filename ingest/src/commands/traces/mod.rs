//! Traces: `POST`, `PATCH`, `DELETE` and `golden`.

pub mod documents;
mod events;
mod handlers;
pub mod parse;
mod spans;

pub(crate) use handlers::path_id;
pub use handlers::{delete, golden, patch, post};
