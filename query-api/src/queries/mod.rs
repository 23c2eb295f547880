//! One room per noun: parameters, queries, answers.

pub mod api_keys;
pub mod feedback;
pub mod traces;
