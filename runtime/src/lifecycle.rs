//! Stop means: no new work, finish what was taken, then end. A task that ends early is a failure of the process.

use std::future::Future;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub struct Tasks {
    pub stop: CancellationToken,
    set: JoinSet<(&'static str, anyhow::Result<()>)>,
}

impl Default for Tasks {
    fn default() -> Self {
        Tasks { stop: CancellationToken::new(), set: JoinSet::new() }
    }
}

impl Tasks {
    pub fn spawn(&mut self, name: &'static str, task: impl Future<Output = anyhow::Result<()>> + Send + 'static) {
        self.set.spawn(async move { (name, task.await) });
    }

    /// Runs until asked to stop or until a task ends; then stops the others within the budget.
    pub async fn run(mut self, budget: Duration) -> anyhow::Result<()> {
        let mut failure = None;
        tokio::select! {
            // A task that ends because it was asked to is no failure.
            biased;
            () = self.stop.cancelled() => {}
            ended = self.set.join_next() => failure = ended.and_then(describe),
        }
        self.stop.cancel();
        let drained = tokio::time::timeout(budget, async {
            while let Some(ended) = self.set.join_next().await {
                if let Ok((name, Err(cause))) = &ended {
                    tracing::error!(task = name, cause = format!("{cause:#}"), "task failed while stopping");
                }
            }
        })
        .await;
        if drained.is_err() {
            self.set.abort_all();
            tracing::warn!("some tasks did not stop in time and were ended");
        }
        failure.map_or(Ok(()), Err)
    }
}

fn describe(ended: Result<(&'static str, anyhow::Result<()>), tokio::task::JoinError>) -> Option<anyhow::Error> {
    match ended {
        Ok((name, Ok(()))) => Some(anyhow::anyhow!("{name} ended")),
        Ok((name, Err(cause))) => Some(cause.context(format!("{name} failed"))),
        Err(panic) => Some(anyhow::anyhow!("a task panicked: {panic}")),
    }
}

/// Cancels `stop` at Ctrl-C or SIGTERM.
pub async fn stop_on_signal(stop: CancellationToken) -> anyhow::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
        () = stop.cancelled() => {}
    }
    stop.cancel();
    Ok(())
}
