//! The switch. Nobody writes the old generation from its pause on, so that no reader can have seen there what the new one
//! does not have yet: no read goes back in time.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use projector::consumer_groups;
use rdkafka::consumer::{BaseConsumer, Consumer};
use runtime::Settings;
use runtime::kafka::client_config;
use sqlx::PgPool;

const LEASE_SECONDS: i32 = 60;
const RELEASED_WITHIN: Duration = Duration::from_secs(30);

/// Makes the new generation the live one; says which was. `filled` waits until the new one is as far as the old one.
pub async fn hand_over(
    settings: &Settings,
    pool: &PgPool,
    (projection, next): (&str, i32),
    filled: impl AsyncFnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<i32> {
    let old: i32 = sqlx::query_scalar(
        "UPDATE generations SET paused_until = now() + make_interval(secs => $2)
         WHERE projection = $1 AND live RETURNING generation",
    )
    .bind(projection)
    .bind(f64::from(LEASE_SECONDS))
    .fetch_one(pool)
    .await?;
    let switched = async {
        released(settings, projection, old).await?;
        filled().await?;
        switch(pool, projection, old, next).await
    };
    let outcome = switched.await;
    if outcome.is_err() {
        sqlx::query("UPDATE generations SET paused_until = NULL WHERE projection = $1 AND generation = $2")
            .bind(projection)
            .bind(old)
            .execute(pool)
            .await?;
    }
    outcome.map(|()| old)
}

/// No projector has a partition of the generation any more. They look once a second which they are to keep.
pub async fn released(settings: &Settings, projection: &str, generation: i32) -> anyhow::Result<()> {
    let consumer: BaseConsumer = client_config(settings).create()?;
    let groups: Vec<String> =
        consumer_groups(settings, projection, generation).into_iter().map(|(_, group)| group).collect();
    let left = tokio::task::spawn_blocking(move || -> anyhow::Result<Option<String>> {
        let deadline = Instant::now() + RELEASED_WITHIN;
        for group in groups {
            while !is_empty(&consumer, &group)? {
                if Instant::now() > deadline {
                    return Ok(Some(group));
                }
                std::thread::sleep(Duration::from_millis(100));
            }
        }
        Ok(None)
    });
    if let Some(group) = left.await?? {
        bail!(
            "projectors still keep generation {generation} of {projection} (consumer group {group}); is Postgres down for them?"
        );
    }
    Ok(())
}

fn is_empty(consumer: &BaseConsumer, group: &str) -> anyhow::Result<bool> {
    let list = consumer
        .fetch_group_list(Some(group), Duration::from_secs(10))
        .context("Kafka does not say who reads the log")?;
    Ok(list.groups().iter().all(|group| group.members().is_empty()))
}

async fn switch(pool: &PgPool, projection: &str, old: i32, next: i32) -> anyhow::Result<()> {
    let mut transaction = pool.begin().await?;
    let ended = sqlx::query(
        "UPDATE generations SET live = false
         WHERE projection = $1 AND generation = $2 AND live AND paused_until > now() + interval '5 seconds'",
    )
    .bind(projection)
    .bind(old)
    .execute(&mut *transaction)
    .await?;
    if ended.rows_affected() != 1 {
        bail!("generation {next} of {projection} did not catch up while generation {old} was paused; try again");
    }
    sqlx::query("UPDATE generations SET live = true WHERE projection = $1 AND generation = $2")
        .bind(projection)
        .bind(next)
        .execute(&mut *transaction)
        .await?;
    Ok(transaction.commit().await?)
}
