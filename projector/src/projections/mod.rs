//! The registry: who hears what, and the one shape that all projections have.

pub mod audit;
pub mod traces;
pub mod workspace;

use std::future::Future;

use schemas::topics;

use crate::log::decode::Decoded;

/// Projections by name, with the topics that each folds.
pub const PROJECTIONS: &[(&str, &[&str])] = &[
    ("traces", &[topics::TELEMETRY]),
    ("workspace", &[topics::WORKSPACE]),
    ("audit", &[topics::TELEMETRY, topics::WORKSPACE]),
];

/// The topics of a projection; none of one that this version does not know.
pub fn topics_of(projection: &str) -> &'static [&'static str] {
    PROJECTIONS.iter().find(|(name, _)| *name == projection).map_or(&[], |(_, topics)| topics)
}

pub trait Projection: Send + Sync + 'static {
    /// A batch folded and ready to be written, as often as it takes.
    type Prepared: Send + Sync;

    fn name(&self) -> &'static str;

    /// Whether the store answers.
    fn ready(&self) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// Takes partitions over; answers where to start reading each.
    fn assign(&mut self, partitions: &[i32]) -> impl Future<Output = anyhow::Result<Vec<(i32, i64)>>> + Send;

    /// Gives partitions up: whatever is cached about them is forgotten.
    fn revoke(&mut self, partitions: &[i32]);

    /// Looks up the state that the batch needs, and folds. An error changes nothing, and the batch is tried again.
    fn prepare(&mut self, batch: &[Decoded]) -> impl Future<Output = anyhow::Result<Self::Prepared>> + Send;

    /// Writes rows, then the checkpoint.
    fn commit(&mut self, prepared: &Self::Prepared) -> impl Future<Output = anyhow::Result<()>> + Send;
}
