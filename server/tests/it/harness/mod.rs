//! One set of engines for all tests of this binary; one installation (topics, databases, services) a test.

mod client;
pub mod process;
mod random;
mod world;

pub use client::{Answer, Client};
pub use process::Process;
pub use random::Random;
pub use world::{Retrace, World, binary, engines, eventually, free_port, new_settings, outage, sharing};
