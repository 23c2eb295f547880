//! How far a projection has got, kept in the projection's own store and written last.

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    pub partition: i32,
    pub next_offset: i64,
    pub log_id: String,
    pub partitions: i32,
    /// `ce_id` of the record before `next_offset`.
    pub last_event: String,
    /// When it was written, in microseconds.
    pub at: i64,
}
