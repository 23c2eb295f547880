//! The engines of an all-in-one `retrace`: genuine Apache Kafka, ClickHouse and Postgres, fetched once into a cache
//! ([`cache`]), run as supervised children on loopback ports ([`Stack`]); ClickHouse is a shared library behind a thin
//! HTTP front in a process of its own ([`clickhouse`]).

pub mod cache;
pub mod clickhouse;
mod kafka;
mod postgres;
mod stack;
mod unprivileged;

pub use stack::{Endpoints, Engine, EngineHealth, Stack, StackConfig};
