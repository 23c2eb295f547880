//! `retrace rebuild`: the projectors fill the next generation beside the live one; this command starts it, shows how far
//! it is, switches when it has caught up on every partition, and drops the old one. Interrupted, it goes on where it was.

mod hand_over;

use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use projector::log::identity::LogReader;
use runtime::Settings;
use schemas::topics;
use sqlx::PgPool;

use super::lag::{Standing, standings};
use hand_over::{hand_over, released};

/// Reads of the old generation that were running at the switch have ended by then.
const LONGEST_READ: Duration = Duration::from_secs(31);

pub async fn run(settings: &Settings, projection: &str) -> anyhow::Result<()> {
    rebuild(settings, projection, LONGEST_READ).await
}

/// `longest_read`: what is still being read of the old generation has ended so long after the switch.
pub async fn rebuild(settings: &Settings, projection: &str, longest_read: Duration) -> anyhow::Result<()> {
    let topics = projector::projections::topics_of(projection);
    ensure!(!topics.is_empty(), "there is no projection `{projection}`");
    for topic in topics {
        refuse_incomplete_log(settings, topic).await?;
    }
    let pool = runtime::postgres::pool(settings)?;
    drop_superseded(settings, &pool, projection).await?;
    let next = next_generation(settings, &pool, projection).await?;
    fill(settings, &pool, projection, next).await?;
    // What the old one got meanwhile is a moment's work.
    let filled = async || fill(settings, &pool, projection, next).await;
    let old = hand_over(settings, &pool, (projection, next), filled).await?;
    say(&format!(
        "generation {next} of {projection} is live; dropping generation {old} when its last reads have ended"
    ));
    tokio::time::sleep(longest_read).await;
    drop_generation(settings, &pool, projection, old).await?;
    say("done");
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the command line talks to its user")]
fn say(text: &str) {
    println!("{text}");
}

pub(super) async fn refuse_incomplete_log(settings: &Settings, topic: &'static str) -> anyhow::Result<()> {
    let settings = settings.clone();
    tokio::task::spawn_blocking(move || {
        let reader = LogReader::new(&settings, topic)?;
        reader.created(&(0..topics::PARTITIONS).collect::<Vec<_>>()).map(drop)
    })
    .await?
}

/// What an earlier rebuild left when it was interrupted between its switch and its end.
async fn drop_superseded(settings: &Settings, pool: &PgPool, projection: &str) -> anyhow::Result<()> {
    let superseded: Vec<i32> = sqlx::query_scalar(
        "SELECT generation FROM generations WHERE projection = $1 AND NOT live AND NOT retired
         AND generation < (SELECT generation FROM generations WHERE projection = $1 AND live)",
    )
    .bind(projection)
    .fetch_all(pool)
    .await?;
    for old in superseded {
        say(&format!("dropping generation {old} of {projection}, which an interrupted rebuild left"));
        drop_generation(settings, pool, projection, old).await?;
    }
    Ok(())
}

/// The generation being built, or a new one.
async fn next_generation(settings: &Settings, pool: &PgPool, projection: &str) -> anyhow::Result<i32> {
    let building: Option<i32> = sqlx::query_scalar(
        "SELECT max(generation) FROM generations WHERE projection = $1 AND NOT retired AND NOT live
         AND generation > (SELECT generation FROM generations WHERE projection = $1 AND live)",
    )
    .bind(projection)
    .fetch_one(pool)
    .await?;
    if let Some(building) = building {
        say(&format!("going on with generation {building} of {projection}"));
        return Ok(building);
    }
    migrations::generations::next(settings, pool, projection).await
}

async fn fill(settings: &Settings, pool: &PgPool, projection: &str, next: i32) -> anyhow::Result<()> {
    let bar = ProgressBar::new(0).with_style(
        ProgressStyle::with_template("{msg} [{bar:30}] {human_pos}/{human_len} events, {per_sec}, {eta} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    bar.set_message(format!("{projection} generation {next}"));
    let started = Instant::now();
    let mut moved = Instant::now();
    let mut last = -1;
    loop {
        let all = standings(settings, pool).await?;
        let find = |wanted: &dyn Fn(&Standing) -> bool| {
            all.iter().find(|standing| standing.projection == projection && wanted(standing))
        };
        let building = find(&|standing| standing.generation == next).context("the generation being built is gone")?;
        let live = find(&|standing| standing.live).context("there is no live generation")?;
        bar.set_length(building.end as u64);
        bar.set_position(building.applied as u64);
        if caught_up(building, live) {
            bar.finish();
            say(&format!("{} events in {:.1} s", building.applied, started.elapsed().as_secs_f64()));
            return Ok(());
        }
        if building.applied != last {
            last = building.applied;
            moved = Instant::now();
        }
        if moved.elapsed() > Duration::from_secs(120) {
            bail!(
                "generation {next} of {projection} has not moved for two minutes; is a projector running? Its log says more"
            );
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// The new generation is at least as far as the old on every partition.
fn caught_up(building: &Standing, live: &Standing) -> bool {
    building.behind.iter().all(|(place, (applied, _))| {
        // A live checkpoint beyond the log's end belongs to another log: then the end is what counts.
        let live_applied = live.behind.get(place).map_or(0, |(applied, end)| (*applied).min(*end));
        *applied >= live_applied && *applied > 0
    })
}

async fn drop_generation(settings: &Settings, pool: &PgPool, projection: &str, old: i32) -> anyhow::Result<()> {
    sqlx::query("UPDATE generations SET retired = true WHERE projection = $1 AND generation = $2")
        .bind(projection)
        .bind(old)
        .execute(pool)
        .await?;
    released(settings, projection, old).await?;
    migrations::generations::drop_tables(settings, pool, projection, old).await
}
