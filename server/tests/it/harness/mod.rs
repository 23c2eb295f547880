//! One set of engines for all tests of this binary; one installation (topics, databases, services) a test.

mod client;
mod world;

pub use client::Client;
pub use world::{Retrace, World, engines};
