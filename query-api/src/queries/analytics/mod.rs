//! What was spent, as [`crate::spending`] reads it.

mod costs;
pub mod documents;

pub use costs::costs;
