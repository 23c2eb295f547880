//! One room per noun: parameters, queries, answers.

pub mod analytics;
pub mod api_keys;
pub mod audit;
pub mod billing;
pub mod collaboration;
pub mod datasets;
pub mod export;
pub mod feedback;
pub mod insights;
pub mod members;
pub mod memory;
pub mod models;
pub mod prompts;
pub mod skills;
pub mod tapes;
pub mod traces;
pub mod usage;
