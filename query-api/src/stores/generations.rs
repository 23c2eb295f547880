//! Which generation of a projection is read. While Postgres is down the last known one stays in use.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use runtime::Problem;
use sqlx::PgPool;
use tokio::sync::Mutex;

const FRESH: Duration = Duration::from_secs(1);

pub struct Generations {
    pool: PgPool,
    known: Mutex<Option<(Instant, HashMap<String, i32>)>>,
}

impl Generations {
    pub fn new(pool: PgPool) -> Generations {
        Generations { pool, known: Mutex::new(None) }
    }

    pub async fn live(&self, projection: &str) -> Result<i32, Problem> {
        let mut known = self.known.lock().await;
        if known.as_ref().is_none_or(|(at, _)| at.elapsed() > FRESH) {
            let asked = sqlx::query_as::<_, (String, i32)>("SELECT projection, generation FROM generations WHERE live")
                .fetch_all(&self.pool)
                .await;
            match (asked, known.as_mut()) {
                (Ok(rows), _) => *known = Some((Instant::now(), rows.into_iter().collect())),
                (Err(cause), Some((at, _))) => {
                    tracing::warn!(%cause, "the live generations cannot be read; the last known ones stay in use");
                    *at = Instant::now();
                }
                (Err(cause), None) => return Err(Problem::store_down("Postgres", cause)),
            }
        }
        known
            .as_ref()
            .and_then(|(_, rows)| rows.get(projection).copied())
            .ok_or_else(|| Problem::internal(format!("no live generation of {projection}")))
    }
}
