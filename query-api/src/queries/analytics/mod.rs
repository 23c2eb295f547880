//! What was spent. A request is a [`crate::period`] and [`filters`]; [`source`] says from which tables and in which pieces they
//! are answered.

mod costs;
pub mod documents;
mod filters;
mod source;

pub use costs::costs;
