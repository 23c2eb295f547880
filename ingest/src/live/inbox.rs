//! What was read of a connection and is not durable yet. Bounded: beyond it the client is asked to come back.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use runtime::Settings;
use tokio::sync::{Notify, OwnedSemaphorePermit};

use super::replies::Token;
use crate::commands::traces::frames::Said;

pub enum Item {
    Said(Waiting),
    Refused(Refusal),
}

/// A frame that is not recorded: what its sender is told, in its turn.
pub struct Refusal {
    pub why: String,
    /// As metrics count it.
    pub outcome: &'static str,
    pub token: Token,
}

/// A frame to be recorded.
pub struct Waiting {
    pub said: Box<Said>,
    pub token: Token,
    pub bytes: usize,
    pub read_at: Instant,
    /// Of what the process holds of bodies and frames.
    pub share: OwnedSemaphorePermit,
}

impl Item {
    pub fn bytes(&self) -> usize {
        match self {
            Item::Said(waiting) => waiting.bytes,
            Item::Refused(refusal) => refusal.why.len(),
        }
    }
}

pub struct Inbox {
    held: Mutex<Held>,
    changed: Notify,
    most_frames: usize,
    most_bytes: usize,
}

#[derive(Default)]
struct Held {
    waiting: Vec<Item>,
    /// With those that were taken and are not done.
    frames: usize,
    bytes: usize,
    closed: bool,
}

#[derive(Debug, PartialEq)]
pub struct Full;

impl Inbox {
    pub fn new(settings: &Settings) -> Inbox {
        Inbox {
            held: Mutex::default(),
            changed: Notify::new(),
            most_frames: settings.live_buffer_frames,
            most_bytes: settings.live_buffer_bytes,
        }
    }

    pub fn push(&self, item: Item) -> Result<(), Full> {
        let mut held = self.held();
        let fits = held.frames < self.most_frames && held.bytes + item.bytes() <= self.most_bytes;
        if !fits && held.frames > 0 {
            return Err(Full);
        }
        held.frames += 1;
        held.bytes += item.bytes();
        held.waiting.push(item);
        drop(held);
        self.changed.notify_one();
        Ok(())
    }

    /// Everything that waits; none once nothing will come any more.
    pub async fn take(&self) -> Option<Vec<Item>> {
        loop {
            {
                let mut held = self.held();
                if !held.waiting.is_empty() {
                    return Some(std::mem::take(&mut held.waiting));
                }
                if held.closed {
                    return None;
                }
            }
            // A notification between the look and this is kept for it.
            self.changed.notified().await;
        }
    }

    /// What was taken is durable, or given up.
    pub fn done(&self, frames: usize, bytes: usize) {
        let mut held = self.held();
        held.frames -= frames;
        held.bytes -= bytes;
    }

    pub fn close(&self) {
        self.held().closed = true;
        self.changed.notify_one();
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // Nothing in here can stop halfway.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::Semaphore;

    use super::super::frame::{self, Frame};
    use super::*;

    fn waiting(bytes: usize) -> Item {
        let text = r#"{"type":"span_ended","data":{"id":"00f067aa0ba902b7"}}"#;
        let Frame::Said(said, token) = frame::read(text) else { panic!("refused") };
        let share = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
        Item::Said(Waiting { said, token, bytes, read_at: Instant::now(), share })
    }

    #[tokio::test]
    async fn what_is_taken_counts_until_it_is_done() {
        let settings = Settings { live_buffer_frames: 2, live_buffer_bytes: 100, ..Settings::default() };
        let inbox = Inbox::new(&settings);
        assert_eq!(inbox.push(waiting(500)), Ok(()));
        assert_eq!(inbox.take().await.unwrap().len(), 1);
        assert_eq!(inbox.push(waiting(1)), Err(Full));
        inbox.done(1, 500);
        assert_eq!([waiting(60), waiting(40), waiting(0)].map(|one| inbox.push(one)), [Ok(()), Ok(()), Err(Full)]);
        inbox.close();
        assert_eq!(inbox.take().await.unwrap().len(), 2);
        assert!(inbox.take().await.is_none());
    }
}
