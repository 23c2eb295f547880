//! The reference fold: a naive reader of the log that says what every answer must be, and the comparison of the
//! projections with it. It follows docs/SEMANTICS.md and shares only the contract crate with what it checks.
//!
//! [`log`] reads the log, [`fold`] keeps it, [`trace`], [`prices`] and [`resources`] are its meaning, [`view`] is what
//! comes of it, `usage` what was ingested, [`json`] is its shape in REST, [`verify`] compares; [`audit`] is about the chain of
//! all writes.

pub mod audit;
pub mod fold;
pub mod json;
pub mod log;
pub mod prices;
pub mod resources;
pub mod trace;
pub mod verify;
pub mod view;

mod compare;
mod counts;
mod rows;
mod usage;
mod workspace;

#[cfg(test)]
mod tests;

pub use fold::Fold;
pub use log::{LogReader, Record};
pub use usage::{Usage, usage_of};
pub use verify::{Options, Report, verify, verify_audit};
pub use view::{CallView, FeedbackView, PromptUsed, SpanView, Texts, TraceState, TraceView};
