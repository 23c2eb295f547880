//! The product on the genuine engines, through its front door.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr, reason = "tests fail by panicking")]

mod anomalies;
mod api_keys;
mod audit;
mod bad_input;
mod billing;
mod collaboration;
mod contract;
mod cost_intelligence;
mod costs;
mod datasets;
mod drift;
mod erasure;
mod export;
mod failures;
mod faults;
mod harness;
mod histories;
mod journey;
mod jwt;
mod keys;
mod kills;
mod lists;
mod live;
mod memory;
mod models;
mod prompt_uses;
mod prompts;
mod rebuild;
mod reprice;
mod revocation;
mod root_cause;
mod schemathesis;
mod sdk;
mod skills;
mod takeover;
mod tapes;
mod traces_diff;
mod usage;
mod walkthrough;
