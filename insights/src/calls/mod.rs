//! What a call of a model was asked, as hashes: by them the same call is known again, and prompts that begin alike. Pure
//! functions of the recorded texts.

mod parts;
mod prompt;

pub use prompt::{Head, Prompt, call, parameters, prompt};
