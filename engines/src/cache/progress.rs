//! What is going on, on stderr: one line at the start, one every ten seconds, one at the end.

use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

const BEAT: Duration = Duration::from_secs(10);

pub(super) fn say(line: &str) {
    #[allow(clippy::print_stderr)]
    {
        eprintln!("{line}");
    }
}

/// A step that takes a while; its end is said when it is dropped through `done`.
pub(super) struct Step {
    what: &'static str,
    started: Instant,
    stop: Option<Sender<()>>,
    beat: Option<JoinHandle<()>>,
}

impl Step {
    pub(super) fn start(what: &'static str, detail: &str) -> Self {
        say(&format!("  {what}: {detail}"));
        let started = Instant::now();
        let (stop, stopped) = channel::<()>();
        let beat = thread::spawn(move || {
            while stopped.recv_timeout(BEAT) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                say(&format!("  {what}: still at it, {} s", started.elapsed().as_secs()));
            }
        });
        Self { what, started, stop: Some(stop), beat: Some(beat) }
    }

    pub(super) fn done(self) {
        say(&format!("  {}: ready after {:.1} s", self.what, self.started.elapsed().as_secs_f64()));
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(beat) = self.beat.take() {
            let _ = beat.join();
        }
    }
}
