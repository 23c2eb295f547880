//! One room per noun: what may be asked, how it is checked, and the event that says so.

pub mod api_keys;
pub mod billing;
pub mod collaboration;
pub mod datasets;
pub mod feedback;
pub mod members;
pub mod memory;
pub mod prompts;
pub mod root_cause;
pub mod skills;
pub mod tapes;
pub mod traces;
