//! Kafka clients: how they are configured, how records are read, where sealing keys are found.

mod client;
pub mod follow;
pub mod keys;
mod log_consumer;
mod record;
pub mod refusals;

pub use client::{client_config, consumer_config, follower_config, stream_config};
pub use log_consumer::{LogConsumer, Next};
pub use record::{Received, headers_of};
