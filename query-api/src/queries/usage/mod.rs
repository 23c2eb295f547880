//! `/usage`: what a tenant has ingested, beside what its plan allows.

mod counted;
mod daily;
pub mod documents;
mod month;

pub use daily::daily;
pub use month::{counts, month};
