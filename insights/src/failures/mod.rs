//! Failures by error pattern: a text's signature is computed once, where the failure is projected; signatures are grouped
//! when they are read.

mod cluster;
pub(crate) mod message;
mod pieces;
mod signature;
mod values;

pub use cluster::{Cluster, clusters};
pub use signature::signature;
