//! Prompts: immutable versions under a unique name, and labels that move between them.

mod chat;
pub mod documents;
mod handlers;
mod parse;
mod variables;

pub use handlers::{delete, label, post, post_version, unlabel};
