//! One set of engines for all tests of this binary; one installation (topics, databases, services) a test.

mod client;
mod world;

pub use client::{Answer, Client};
pub use world::{Retrace, World, binary, engines, eventually, free_port, outage, sharing};
