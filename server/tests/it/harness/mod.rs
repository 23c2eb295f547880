//! One set of engines for all tests of this binary; one installation (topics, databases, services) a test.

mod client;
mod contract;
pub mod dodo;
pub mod gemini;
mod log;
pub mod process;
pub mod python;
mod random;
mod same;
mod world;

pub use client::{Answer, Client};
pub use process::{NO_SETTINGS, Process, environment};
pub use random::{Random, number};
pub use same::{same, without};
pub use world::{
    Projector, Retrace, World, binary, described, engines, eventually, eventually_ok, free_port, level, new_settings,
    outage, sharing,
};
