//! One thread an engine: starts it, waits until it is ready, and starts it again when it ends unasked.

mod worker;

use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::bail;
use rustix::process::{Pid, Signal, kill_process};

use super::recipe::{Engine, Recipe};
use worker::Worker;

const STARTING: Duration = Duration::from_secs(90);
const POLL: Duration = Duration::from_millis(20);
/// So many starts in a row may fail before the first success; a predecessor's remains can spoil one or two.
const FIRST_ATTEMPTS: u32 = 3;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineHealth {
    pub name: &'static str,
    pub up: bool,
    /// How often it had to be started again.
    pub restarts: u32,
    pub last_error: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wish {
    Run,
    HoldDown,
    End,
}

struct State {
    wish: Wish,
    /// Set from the child's start until it is reaped, so that it never names another process.
    pid: Option<Pid>,
    stop: Signal,
    up: bool,
    was_up: bool,
    failures: u32,
    starts: u32,
    last_error: Option<String>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

pub(crate) struct Supervised {
    engine: Engine,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Supervised {
    pub(crate) fn start(recipe: Box<dyn Recipe>, output: PathBuf) -> Self {
        let state = State {
            wish: Wish::Run,
            pid: None,
            stop: Signal::TERM,
            up: false,
            was_up: false,
            failures: 0,
            starts: 0,
            last_error: None,
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let engine = recipe.engine();
        let worker = Worker { recipe, output, shared: shared.clone() };
        let thread = thread::Builder::new().name(format!("engine-{engine}")).spawn(move || worker.work()).ok();
        Self { engine, shared, thread }
    }

    /// Blocks until it serves, or its first starts have failed.
    pub(crate) fn wait_until_up(&self) -> anyhow::Result<()> {
        let deadline = Instant::now() + STARTING;
        let mut state = self.shared.lock();
        while !state.up {
            let reason = || state.last_error.clone().unwrap_or_else(|| "it gave no reason".into());
            if self.thread.is_none() || (!state.was_up && state.failures >= FIRST_ATTEMPTS) {
                bail!("{} does not start: {}", self.engine, reason());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                bail!("{} was not ready within {} s: {}", self.engine, STARTING.as_secs(), reason());
            }
            state = self.shared.wait(state, left);
        }
        Ok(())
    }

    pub(crate) fn health(&self) -> EngineHealth {
        let state = self.shared.lock();
        let last_error = state.last_error.clone();
        EngineHealth { name: self.engine.name(), up: state.up, restarts: state.starts.saturating_sub(1), last_error }
    }

    pub(crate) fn pid(&self) -> Option<u32> {
        self.shared.lock().pid.and_then(|pid| u32::try_from(pid.as_raw_nonzero().get()).ok())
    }

    /// Sends SIGKILL; the engine is then started again.
    pub(crate) fn kill(&self) {
        self.shared.lock().signal(Signal::KILL);
    }

    pub(crate) fn hold_down(&self) {
        self.wish(Wish::HoldDown);
    }

    pub(crate) fn let_run(&self) {
        self.wish(Wish::Run);
    }

    pub(crate) fn begin_end(&self) {
        self.wish(Wish::End);
    }

    fn wish(&self, wish: Wish) {
        let mut state = self.shared.lock();
        state.wish = wish;
        if wish != Wish::Run {
            let stop = state.stop;
            state.signal(stop);
        }
        self.shared.changed.notify_all();
    }

    /// Blocks until no child is left; after `deadline` by SIGKILL.
    pub(crate) fn wait_until_gone(&self, deadline: Instant) {
        let mut state = self.shared.lock();
        while state.pid.is_some() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                state.signal(Signal::KILL);
            }
            state = self.shared.wait(state, left.max(POLL));
        }
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        self.begin_end();
        self.wait_until_gone(Instant::now());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>, at_most: Duration) -> MutexGuard<'a, State> {
        self.changed.wait_timeout(state, at_most).unwrap_or_else(PoisonError::into_inner).0
    }
}

impl State {
    fn signal(&self, signal: Signal) {
        if let Some(pid) = self.pid {
            let _ = kill_process(pid, signal);
        }
    }
}
