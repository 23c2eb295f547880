//! The topics, and which partition an aggregate lives in.

use xxhash_rust::xxh3::xxh3_64;

/// Traces, spans and feedback; a trace's events share a partition.
pub const TELEMETRY: &str = "retrace.telemetry";
/// Everything else; a tenant's events share a partition.
pub const WORKSPACE: &str = "retrace.workspace";
/// Sealing keys, compacted; a trace's keys are in the partition of its events.
pub const KEYS: &str = "retrace.keys";
/// What a projection could not apply.
pub const DEAD_LETTER: &str = "retrace.dead-letter";

/// Fixed when a log is created: a trace must not move, and offsets of two partitions do not compare.
pub const PARTITIONS: i32 = 16;

/// The largest encoded record that is produced; the broker's own limit is about 1 MiB.
pub const MAX_RECORD_BYTES: usize = 900_000;

/// The stable hash of (tenant, aggregate) that both the partition and the known-ids filter use.
pub fn aggregate_hash(tenant: &str, aggregate: &str) -> u64 {
    let mut text = String::with_capacity(tenant.len() + aggregate.len() + 1);
    text.push_str(tenant);
    text.push('\0');
    text.push_str(aggregate);
    xxh3_64(text.as_bytes())
}

pub fn trace_partition(tenant: &str, trace_id: &str, partitions: i32) -> i32 {
    (aggregate_hash(tenant, trace_id) % partitions.max(1) as u64) as i32
}

pub fn tenant_partition(tenant: &str, partitions: i32) -> i32 {
    (aggregate_hash(tenant, "") % partitions.max(1) as u64) as i32
}

/// The version of a row: later offsets win, and a later epoch of the log wins over all of them.
pub fn row_version(epoch: i32, offset: i64) -> u64 {
    ((epoch as u64) << 48) | (offset as u64 & 0xffff_ffff_ffff)
}
