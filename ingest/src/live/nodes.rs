//! The ingest nodes of this installation: each says in Postgres that it is there; what hangs on one is asked of itself.

use std::time::Duration;

use anyhow::Context;
use runtime::{Problem, Settings};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

const BEAT: Duration = Duration::from_secs(5);
/// A node that has not been heard of for so long is not asked.
const ALIVE_SECONDS: f64 = 20.0;
/// Rows of nodes that never came back.
const FORGOTTEN_SECONDS: f64 = 3_600.0;
/// Above what a client may take to answer a ping and to take a command.
const ANSWER: Duration = Duration::from_secs(6);

pub struct Nodes {
    own: String,
    pool: PgPool,
    client: reqwest::Client,
    secret: String,
}

impl Nodes {
    pub fn new(settings: &Settings, pool: &PgPool) -> anyhow::Result<Nodes> {
        Ok(Nodes {
            own: own_url(settings)?,
            pool: pool.clone(),
            client: reqwest::Client::builder().timeout(ANSWER).build()?,
            secret: settings.secret.clone(),
        })
    }

    /// Until stopped.
    pub async fn announced(self: std::sync::Arc<Nodes>, stop: CancellationToken) -> anyhow::Result<()> {
        while !stop.is_cancelled() {
            if let Err(cause) = self.beat().await {
                tracing::warn!(%cause, "this node cannot say that it is there; commands from other nodes may miss its clients");
            }
            stop.run_until_cancelled(tokio::time::sleep(BEAT)).await;
        }
        // Where this fails it is missed after a while.
        let _ = sqlx::query("DELETE FROM live_nodes WHERE url = $1").bind(&self.own).execute(&self.pool).await;
        Ok(())
    }

    async fn beat(&self) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO live_nodes (url, seen_at) VALUES ($1, now()) ON CONFLICT (url) DO UPDATE SET seen_at = now()",
        )
        .bind(&self.own)
        .execute(&self.pool)
        .await?;
        sqlx::query("DELETE FROM live_nodes WHERE seen_at < now() - make_interval(secs => $1)")
            .bind(FORGOTTEN_SECONDS)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    pub async fn others(&self) -> Result<Vec<String>, Problem> {
        sqlx::query_scalar(
            "SELECT url FROM live_nodes WHERE url <> $1 AND seen_at > now() - make_interval(secs => $2) ORDER BY url",
        )
        .bind(&self.own)
        .bind(ALIVE_SECONDS)
        .fetch_all(&self.pool)
        .await
        .map_err(|cause| Problem::store_down("Postgres", cause))
    }

    /// What another node answers; none where it does not.
    pub async fn ask<T: DeserializeOwned>(&self, node: &str, path: &str, question: &impl Serialize) -> Option<T> {
        let asking = async {
            let request = self.client.post(format!("{node}{path}")).header("x-retrace-internal", &self.secret);
            request.json(question).send().await?.error_for_status()?.json().await
        };
        let answer: Result<T, reqwest::Error> = asking.await;
        answer.inspect_err(|cause| tracing::warn!(node, path, %cause, "a node does not answer")).ok()
    }
}

/// Where the address is every one of the machine's, others know the machine by its name.
fn own_url(settings: &Settings) -> anyhow::Result<String> {
    if !settings.node_url.is_empty() {
        return Ok(settings.node_url.trim_end_matches('/').to_owned());
    }
    let (host, port) = settings.listen.rsplit_once(':').context("the setting `listen` has no port")?;
    if host != "0.0.0.0" && host != "[::]" {
        return Ok(format!("http://{}", settings.listen));
    }
    let machine = rustix::system::uname();
    let name = machine.nodename().to_str().context("the machine's name is not text: set `node_url`")?;
    Ok(format!("http://{name}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_reached_by_what_it_listens_on() {
        let of = |listen: &str, node_url: &str| {
            own_url(&Settings { listen: listen.into(), node_url: node_url.into(), ..Settings::default() }).unwrap()
        };
        assert_eq!(of("127.0.0.1:3001", ""), "http://127.0.0.1:3001");
        assert_eq!(of("0.0.0.0:3001", "http://ingest-1:3001/"), "http://ingest-1:3001");
        assert!(of("0.0.0.0:3001", "").ends_with(":3001") && !of("0.0.0.0:3001", "").contains("0.0.0.0"));
    }
}
