//! Methods without I/O: what the projector computes once and what the read side concludes from it.

pub mod anomalies;
pub mod calls;
pub mod diff;
pub mod drift;
pub mod failures;
pub mod histogram;
pub mod prompt_use;
pub mod redaction;
pub mod root_cause;
pub mod secrets;
