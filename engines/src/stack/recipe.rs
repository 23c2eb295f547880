//! What the supervisor must know of an engine.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use rustix::process::Signal;

use crate::unprivileged::Account;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Engine {
    Kafka,
    ClickHouse,
    Postgres,
}

impl Engine {
    pub const ALL: [Self; 3] = [Self::Kafka, Self::ClickHouse, Self::Postgres];

    pub fn name(self) -> &'static str {
        match self {
            Self::Kafka => "Kafka",
            Self::ClickHouse => "ClickHouse",
            Self::Postgres => "Postgres",
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A child to start.
pub(crate) struct Launch {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) environment: Vec<(&'static str, String)>,
    pub(crate) run_as: Option<Account>,
    /// An open folder that the child gets under the same number.
    pub(crate) inherit: Option<Arc<File>>,
    /// Asks it to end in good order.
    pub(crate) stop: Signal,
    pub(crate) when_parent_dies: Signal,
}

impl Launch {
    pub(crate) fn new(program: PathBuf, arguments: Vec<OsString>, stop: Signal) -> Self {
        let when_parent_dies = Signal::KILL;
        Self { program, arguments, environment: Vec::new(), run_as: None, inherit: None, stop, when_parent_dies }
    }
}

/// An engine's way of being run. All of it may block.
pub(crate) trait Recipe: Send + Sync {
    fn engine(&self) -> Engine;

    /// Makes the data folder ready; called before every start.
    fn prepare(&self) -> anyhow::Result<()>;

    fn launch(&self) -> anyhow::Result<Launch>;

    /// Whether it answers its protocol.
    fn is_ready(&self) -> bool;

    /// Log files that the engine writes itself, beside what it says on its output.
    fn logs(&self) -> Vec<PathBuf> {
        Vec::new()
    }

    /// Lines of its output that mean nothing and would only hide others.
    fn is_noise(&self) -> fn(&str) -> bool {
        |_| false
    }
}
