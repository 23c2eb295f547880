//! `GET /audit-logs/export` and `/audit-logs/heads`: every accepted write, and the ends of the chains that hold them (ADR 0019).
//!
//! [`asked`] reads the request, [`find`] says which writes it selects and which of these were accepted, [`read`] reads
//! them a piece at a time, with who they came from ([`clients`]) and what was before, [`entry`] is how one is shown, and
//! [`answer`] is all of it.

mod answer;
mod asked;
mod clients;
mod entry;
mod find;
mod heads;
mod read;

pub use answer::export;
pub use clients::Clients;
pub use heads::{AuditHead, AuditHeads, heads};
