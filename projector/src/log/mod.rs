//! The way from Kafka into a pipeline.

pub mod consumer;
pub mod decode;
pub mod identity;

pub use consumer::{FromLog, start};
pub use decode::{Content, Decoded};
