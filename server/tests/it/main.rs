//! The product on the genuine engines, through its front door.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr, reason = "tests fail by panicking")]

mod bad_input;
mod costs;
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
mod rebuild;
mod revocation;
mod sdk;
mod takeover;
