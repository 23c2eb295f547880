//! The registry: who hears what, and the one shape that all projections have.

pub mod traces;
pub mod workspace;

use std::future::Future;

use crate::log::decode::Decoded;

/// Projections by name, with the topic that each folds.
pub const PROJECTIONS: &[(&str, &str)] =
    &[("traces", schemas::topics::TELEMETRY), ("workspace", schemas::topics::WORKSPACE)];

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
