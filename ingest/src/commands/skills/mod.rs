//! Skills: versioned definitions of what an agent can do.

mod definition;
pub mod documents;
mod handlers;
mod parse;

pub use handlers::{delete, patch, post, restore};
