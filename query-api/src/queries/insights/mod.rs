//! What is concluded from traces.

pub mod anomalies;
pub mod drift;
mod ended;
pub mod failures;
pub mod root_cause;
