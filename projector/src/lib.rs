//! The log → the projections. Every projection is a pure fold of its topic, kept by a pipeline:
//! [`log::consumer`] → [`log::decode`] → [`pipeline`] → a room of [`projections`] → its store, and the checkpoint last.

mod checkpoints;
mod dead_letter;
pub mod erase;
pub mod log;
mod pipeline;
pub mod projections;
pub mod redrive;
mod store;
mod supervise;

pub use checkpoints::Checkpoint;
pub use supervise::{Stopped, consumer_groups, run};
