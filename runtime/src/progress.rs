//! How far a projection is: looked at once for all who wait for it.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::flushes;
use crate::position::Record;

#[derive(Default)]
pub struct Progress(Mutex<Option<Seen>>);

/// A look at its checkpoints.
struct Seen {
    at: Instant,
    /// The flushes of this process before it.
    flushes: u64,
    /// Partition → next offset.
    next: HashMap<i32, i64>,
}

impl Progress {
    /// Whether a record is applied. `look` reads the checkpoints where the last look is older than `shared`, or than the
    /// last flush of this process.
    pub async fn has_reached<E>(
        &self,
        record: Record,
        shared: Duration,
        look: impl Future<Output = Result<HashMap<i32, i64>, E>>,
    ) -> Result<bool, E> {
        let reached = |next: &HashMap<i32, i64>| {
            record.offset < 0 || next.get(&record.partition).is_some_and(|next| *next > record.offset)
        };
        let mut seen = self.0.lock().await;
        let flushes = flushes::count();
        if let Some(seen) = seen.as_ref() {
            let is_fresh = seen.at.elapsed() < shared && seen.flushes == flushes;
            // Checkpoints only move forward: what was reached stays reached.
            if reached(&seen.next) || is_fresh {
                return Ok(reached(&seen.next));
            }
        }
        let next = look.await?;
        let has_reached = reached(&next);
        *seen = Some(Seen { at: Instant::now(), flushes, next });
        Ok(has_reached)
    }
}
