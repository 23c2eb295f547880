//! ClickHouse: the engine in `libchdb.so`, in a process of its own, behind as much of ClickHouse's HTTP interface as
//! the official `clickhouse` crate needs.
//!
//! What a client must know:
//! - Insert bodies may be plain or in LZ4 blocks (`decompress=1`, the crate's default). Answers are never compressed:
//!   the crate only offers to take them compressed.
//! - Settings in the URL hold for that request only: each request gets a connection of its own, which costs 0.15 ms.
//! - Sessions, roles, external tables and `param_*` on streamed inserts are refused with error 48.
//! - `async_insert` is off here; servers from 26.2 on have it on unless told otherwise.
//! - An `INSERT` with its rows in the body is committed block by block, as on a server: give it fewer rows than
//!   `max_insert_block_size` for all or nothing. A body that breaks off is cancelled.

mod access;
mod engine;
mod error;
mod execute;
mod ffi;
mod handler;
mod limits;
mod lz4;
mod multipart;
mod pipe;
mod recipe;
mod request;
mod serve;
mod sql;

pub(crate) use recipe::ClickHouseRecipe;
pub(crate) use serve::DEFAULT_MEMORY;
pub use serve::{FrontConfig, serve, serve_from_args};

/// Environment variable by which the front gets its password, so that it shows in no process list.
const PASSWORD_VARIABLE: &str = "RETRACE_CLICKHOUSE_PASSWORD";
