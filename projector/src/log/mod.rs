//! The way from Kafka into a pipeline.

pub mod consumer;
pub mod decode;
pub mod identity;
mod rebalances;

pub use consumer::{FromLog, Membership, start};
pub use decode::{Content, Decoded};
