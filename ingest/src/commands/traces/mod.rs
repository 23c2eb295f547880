//! Traces: `POST`, `PATCH`, `DELETE`, `golden`, `halt` and `replay`; what the frames of `live` say.

pub mod documents;
mod events;
pub mod frames;
mod halt;
mod handlers;
pub mod parse;
mod record;
mod replay;
mod spans;

pub use halt::halt;
pub(crate) use handlers::path_id;
pub use handlers::{delete, golden, patch, post};
pub use replay::replay;
