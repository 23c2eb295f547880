//! The engines as they are run by `retrace up`: genuine, in temporary folders, on free ports.

#![allow(clippy::unwrap_used)]

mod clickhouse_client;
mod faults;
mod parquet;
mod sentences;
mod support;
