//! What is concluded from traces.

pub mod drift;
mod ended;
pub mod failures;
mod filters;
