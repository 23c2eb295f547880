//! Kafka clients: how they are configured, how records are read, where sealing keys are found.

mod client;
pub mod follow;
pub mod keys;
mod record;

pub use client::{Errors, LogConsumer, client_config, consumer_config, follower_config, stream_config};
pub use record::{Received, headers_of};
