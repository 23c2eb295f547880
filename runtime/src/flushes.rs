//! A projector says when it has written: who waits for it in the same process need not keep asking the store. Beside a
//! projector in another process, asking is all there is.

use std::sync::LazyLock;
use std::time::Duration;

use tokio::sync::watch;

static FLUSHES: LazyLock<watch::Sender<u64>> = LazyLock::new(|| watch::Sender::new(0));

/// How many asking intervals pass while a projector is here and says nothing: it may not own the partition.
const PATIENCE: u32 = 8;

pub fn flushed() {
    FLUSHES.send_modify(|count| *count += 1);
}

/// The flushes of this process so far.
pub fn count() -> u64 {
    *FLUSHES.borrow()
}

/// Returns after a flush later than `seen` of them, or when it is time to ask anyway.
pub async fn next(seen: u64, interval: Duration) {
    if seen == 0 {
        return tokio::time::sleep(interval).await;
    }
    let mut flushes = FLUSHES.subscribe();
    // Either way the store is asked next.
    let _ = tokio::time::timeout(interval * PATIENCE, flushes.wait_for(|count| *count > seen)).await;
}
