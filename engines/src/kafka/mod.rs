//! Apache Kafka: one KRaft node as a child process.

pub(crate) mod archive;
mod command;
mod config;
mod recipe;
mod wire;

pub(crate) use command::HEAP_MB;
pub(crate) use recipe::KafkaRecipe;
