//! The thread of one engine.

use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, waitid};

use super::{POLL, STARTING, Shared, Wish};
use crate::stack::explain::explain;
use crate::stack::logs;
use crate::stack::recipe::{Launch, Recipe};

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// After so long a life an end counts as the first.
const SETTLED: Duration = Duration::from_secs(20);

pub(super) struct Worker {
    pub(super) recipe: Box<dyn Recipe>,
    pub(super) output: PathBuf,
    pub(super) shared: Arc<Shared>,
}

impl Worker {
    pub(super) fn work(self) {
        let mut pause = FIRST_PAUSE;
        while self.is_wanted() {
            let started = Instant::now();
            let result = self.run_once();
            let mut state = self.shared.lock();
            // It has served, or lived long.
            if state.failures == 0 || started.elapsed() > SETTLED {
                pause = FIRST_PAUSE;
            }
            if state.wish == Wish::Run {
                let error = result.err().map_or_else(|| "it ended".to_owned(), |error| format!("{error:#}"));
                tracing::warn!(engine = self.recipe.engine().name(), error, "engine ended and is started again");
                state.last_error = Some(error);
                state.failures += 1;
            }
            self.shared.changed.notify_all();
            if state.wish == Wish::Run {
                drop(self.shared.wait(state, pause));
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }

    /// Waits while the engine is held down; gives whether to start it.
    fn is_wanted(&self) -> bool {
        let mut state = self.shared.lock();
        while state.wish == Wish::HoldDown {
            state = self.shared.wait(state, LONGEST_PAUSE);
        }
        state.wish == Wish::Run
    }

    /// From start to end; the error says why it ended.
    fn run_once(&self) -> anyhow::Result<()> {
        self.recipe.prepare()?;
        let launch = self.recipe.launch()?;
        let logs: Vec<_> = self.recipe.logs().into_iter().chain([self.output.clone()]).collect();
        let beginnings: Vec<_> = logs.iter().map(|log| logs::position(log)).collect();
        let (reader, writer) = std::io::pipe().context("The system gives no pipe")?;
        let mut command = launch.command();
        command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
        let mut child = command.spawn().with_context(|| format!("{} cannot be started", launch.program.display()))?;
        // The command holds the pipe's other end open.
        drop(command);
        logs::copy_in_background(reader, self.output.clone(), self.recipe.is_noise());
        self.announce(&child, &launch);
        self.wait_until_ready(&child);
        self.reap(&mut child).map_err(|ending| {
            let lines = logs.iter().zip(&beginnings).filter_map(|(log, from)| logs::telling_line(log, *from));
            anyhow::Error::msg(explain(&ending, lines, &logs))
        })
    }

    fn announce(&self, child: &Child, launch: &Launch) {
        let mut state = self.shared.lock();
        state.pid = pid_of(child);
        state.stop = launch.stop;
        state.starts += 1;
        // Asked to end between the last look and the start.
        if state.wish != Wish::Run {
            state.signal(launch.stop);
        }
    }

    /// Returns when the engine serves, has ended, is no longer wanted, or takes too long (and is killed).
    fn wait_until_ready(&self, child: &Child) {
        let deadline = Instant::now() + STARTING;
        loop {
            if has_ended(child) || self.shared.lock().wish != Wish::Run {
                return;
            }
            if self.recipe.is_ready() {
                break;
            }
            if Instant::now() > deadline {
                self.shared.lock().signal(Signal::KILL);
                return;
            }
            thread::sleep(POLL);
        }
        let mut state = self.shared.lock();
        (state.up, state.was_up, state.failures) = (true, true, 0);
        self.shared.changed.notify_all();
    }

    /// Waits for the child's end; the error says how it ended.
    fn reap(&self, child: &mut Child) -> Result<(), String> {
        wait_without_reaping(child);
        let mut state = self.shared.lock();
        // At once: whoever sees that the child is gone must not see that it serves.
        (state.pid, state.up) = (None, false);
        let status = child.wait();
        drop(state);
        match status {
            Ok(status) => Err(format!("it ended with {status}")),
            Err(error) => Err(format!("its end was missed ({error})")),
        }
    }
}

fn pid_of(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}

fn has_ended(child: &Child) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    pid_of(child).is_some_and(|pid| waitid(WaitId::Pid(pid), options).is_ok_and(|ended| ended.is_some()))
}

fn wait_without_reaping(child: &Child) {
    if let Some(pid) = pid_of(child) {
        while waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)
            .is_err_and(|error| error == Errno::INTR)
        {}
    }
}
