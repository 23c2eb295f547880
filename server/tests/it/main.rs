//! The product on the genuine engines, through its front door.

mod bad_input;
mod erasure;
mod faults;
mod harness;
mod histories;
mod journey;
mod keys;
mod rebuild;
mod sdk;
