//! The engine with its bounded number of connections.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::error::HttpError;
use super::ffi::{Connection, Engine};
use super::limits;
use super::request::Statement;

/// How long a request waits for a connection.
const PATIENCE: Duration = Duration::from_secs(30);
/// Requests that may wait; more are refused at once.
const WAITING: usize = 256;

pub(super) struct Shared {
    engine: Engine,
    running: Arc<Semaphore>,
    admitted: Arc<Semaphore>,
    pub(super) password: Option<String>,
}

/// The right to run one statement.
pub(super) struct Turn {
    _running: OwnedSemaphorePermit,
    _admitted: OwnedSemaphorePermit,
}

impl Shared {
    pub(super) fn open(
        lib: &Path,
        data: &Path,
        memory: u64,
        statements: usize,
        password: Option<String>,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            engine: Engine::open(lib, &limits::arguments(data, memory))?,
            running: Arc::new(Semaphore::new(statements)),
            admitted: Arc::new(Semaphore::new(statements + WAITING)),
            password,
        })
    }

    pub(super) async fn turn(&self) -> Result<Turn, HttpError> {
        let admitted = self.admitted.clone().try_acquire_owned().map_err(|_| HttpError::busy())?;
        let running = timeout(PATIENCE, self.running.clone().acquire_owned()).await;
        let running = running.ok().and_then(Result::ok).ok_or_else(HttpError::busy)?;
        Ok(Turn { _running: running, _admitted: admitted })
    }

    /// A connection of its own for one statement, in the statement's database and with its settings.
    pub(super) fn connect(&self, statement: &Statement) -> Result<Connection, HttpError> {
        let mut connection = self.engine.connect().map_err(|error| HttpError::internal(&error.to_string()))?;
        for sql in statement.preamble() {
            connection.query(&sql, "Null", &[])?;
        }
        Ok(connection)
    }

    pub(super) fn close(self) {
        self.engine.close();
    }
}
