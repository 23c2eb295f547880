//! `retrace lag`: events and seconds behind, per projection and generation.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use projector::log::identity::LogReader;
use projector::projections::topics_of;
use runtime::Settings;
use runtime::metrics::METRICS;
use schemas::topics;
use sqlx::{AssertSqlSafe, PgPool};
use tokio_util::sync::CancellationToken;

/// A topic's partition.
pub type Place = (&'static str, i32);

/// One generation of a projection beside its topics.
#[derive(Debug)]
pub struct Standing {
    pub projection: String,
    pub generation: i32,
    pub live: bool,
    pub applied: i64,
    pub end: i64,
    /// Of every partition, how far it is applied and where it ends.
    pub behind: HashMap<Place, (i64, i64)>,
    /// How long ago the newest checkpoint was written.
    pub checkpoint_age_seconds: i64,
}

impl Standing {
    pub fn topics(&self) -> &'static [&'static str] {
        topics_of(&self.projection)
    }

    pub fn lag(&self) -> i64 {
        self.end - self.applied
    }

    /// How old the newest checkpoint is, while there is something to apply.
    fn seconds(&self) -> i64 {
        if self.lag() == 0 { 0 } else { self.checkpoint_age_seconds }
    }

    fn record(&self) {
        let generation = self.generation.to_string();
        let labels = [self.projection.as_str(), generation.as_str()];
        METRICS.lag_events.with_label_values(&labels).set(self.lag());
        METRICS.lag_seconds.with_label_values(&labels).set(self.seconds());
    }
}

#[expect(clippy::print_stdout, reason = "the command line talks to its user")]
pub async fn run(settings: &Settings) -> anyhow::Result<()> {
    let pool = runtime::postgres::pool(settings)?;
    println!(
        "{:<12} {:>4} {:>5} {:>14} {:>14} {:>10} {:>8}",
        "projection", "gen", "live", "applied", "log end", "events", "seconds"
    );
    for standing in standings(settings, &pool).await? {
        println!(
            "{:<12} {:>4} {:>5} {:>14} {:>14} {:>10} {:>8}",
            standing.projection,
            standing.generation,
            if standing.live { "yes" } else { "no" },
            standing.applied,
            standing.end,
            standing.lag(),
            standing.seconds(),
        );
    }
    Ok(())
}

pub async fn standings(settings: &Settings, pool: &PgPool) -> anyhow::Result<Vec<Standing>> {
    let generations: Vec<(String, i32, bool)> = sqlx::query_as(
        "SELECT projection, generation, live FROM generations WHERE NOT retired ORDER BY projection, generation",
    )
    .fetch_all(pool)
    .await
    .context("Postgres cannot be read")?;
    let mut standings = Vec::new();
    for (projection, generation, live) in generations {
        let mut ends = HashMap::new();
        for topic in topics_of(&projection) {
            ends.extend(
                self::ends(settings, topic).await?.into_iter().map(|(partition, end)| ((*topic, partition), end)),
            );
        }
        let (applied, age) = applied(settings, pool, &projection, generation).await?;
        let behind =
            ends.iter().map(|(place, end)| (*place, (applied.get(place).copied().unwrap_or(0), *end))).collect();
        standings.push(Standing {
            projection,
            generation,
            live,
            applied: applied.values().sum(),
            end: ends.values().sum(),
            behind,
            checkpoint_age_seconds: age,
        });
    }
    Ok(standings)
}

/// Keeps the lag metrics up.
pub async fn watch(settings: Arc<Settings>, pool: PgPool, stop: CancellationToken) -> anyhow::Result<()> {
    let mut tick = tokio::time::interval(Duration::from_secs(10));
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            _ = tick.tick() => {}
        }
        match standings(&settings, &pool).await {
            Ok(standings) => standings.iter().for_each(Standing::record),
            Err(cause) => tracing::warn!(cause = format!("{cause:#}"), "the lag cannot be measured"),
        }
    }
}

/// Waits, bounded, until every projection has applied the log; looks at least once.
pub async fn caught_up(settings: &Settings, pool: &PgPool, within: Duration) -> anyhow::Result<bool> {
    let deadline = Instant::now() + within;
    while standings(settings, pool).await?.iter().any(|standing| standing.lag() > 0) {
        if Instant::now() >= deadline {
            return Ok(false);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(true)
}

/// Waits until what is read has applied the log as it ended at the call.
pub async fn up_to_now(settings: &Settings, pool: &PgPool) -> anyhow::Result<()> {
    let mut standing = live(settings, pool).await?;
    let ends: Vec<(String, Place, i64)> = standing
        .iter()
        .flat_map(|one| one.behind.iter().map(|(place, (_, end))| (one.projection.clone(), *place, *end)))
        .collect();
    let mut moved = Instant::now();
    let applied = |standing: &[Standing]| -> i64 { standing.iter().map(|one| one.applied).sum() };
    loop {
        let reached = |(projection, place, end): &(String, Place, i64)| {
            let held = standing.iter().find(|one| one.projection == *projection);
            held.and_then(|one| one.behind.get(place)).is_some_and(|(applied, _)| applied >= end)
        };
        if ends.iter().all(reached) {
            return Ok(());
        }
        if moved.elapsed() > Duration::from_secs(60) {
            bail!("the projections have not moved for a minute; is a projector running? Its log says more");
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        let next = live(settings, pool).await?;
        if applied(&next) != applied(&standing) {
            moved = Instant::now();
        }
        standing = next;
    }
}

async fn live(settings: &Settings, pool: &PgPool) -> anyhow::Result<Vec<Standing>> {
    Ok(standings(settings, pool).await?.into_iter().filter(|standing| standing.live).collect())
}

pub(super) async fn ends(settings: &Settings, topic: &'static str) -> anyhow::Result<HashMap<i32, i64>> {
    let settings = settings.clone();
    tokio::task::spawn_blocking(move || {
        let reader = LogReader::new(&settings, topic)?;
        (0..topics::PARTITIONS).map(|partition| Ok((partition, reader.watermarks(partition)?.1))).collect()
    })
    .await?
}

async fn applied(
    settings: &Settings,
    pool: &PgPool,
    projection: &str,
    generation: i32,
) -> anyhow::Result<(HashMap<Place, i64>, i64)> {
    let rows: Vec<(String, i32, i64, i64)> = match projection {
        "traces" => of_clickhouse(settings, &format!("checkpoints_g{generation}")).await?,
        "audit" => of_clickhouse(settings, &format!("audit_checkpoints_g{generation}")).await?,
        _ => {
            let schema = runtime::postgres::schema(projection, generation);
            let sql = format!(
                "SELECT topic, partition_id, next_offset, extract(epoch FROM now() - updated_at)::bigint FROM {schema}.checkpoints"
            );
            sqlx::query_as(AssertSqlSafe(sql)).fetch_all(pool).await?
        }
    };
    let age = rows.iter().map(|row| row.3).min().unwrap_or(0);
    let topics = topics_of(projection);
    let place = |(topic, partition, next, _): &(String, i32, i64, i64)| {
        let topic = topics.iter().find(|known| **known == topic.as_str())?;
        Some(((*topic, *partition), *next))
    };
    Ok((rows.iter().filter_map(place).collect(), age))
}

async fn of_clickhouse(settings: &Settings, table: &str) -> anyhow::Result<Vec<(String, i32, i64, i64)>> {
    let sql = format!(
        "SELECT topic, toInt32(partition), toInt64(max(next_offset)), toInt64(dateDiff('second', max(at), now64())) \
         FROM {table} GROUP BY topic, partition"
    );
    let rows = migrations::clickhouse::client(settings).query(&sql).fetch_all().await;
    rows.context("ClickHouse cannot be read")
}
