//! `retrace migrate`: what must exist before the services start. Safe to repeat.

use std::time::Duration;

use anyhow::{bail, ensure};
use ingest::system::System;
use migrations::{Layout, generations};
use runtime::Settings;
use sqlx::PgPool;

use super::lag::{caught_up, standings};
use super::rebuild::refuse_incomplete_log;
use crate::up::local_user;

pub async fn run(settings: &Settings, replace_outdated: bool) -> anyhow::Result<()> {
    let filling = prepare(settings, replace_outdated).await?;
    let pool = runtime::postgres::pool(settings)?;
    if !filling.is_empty() {
        // Which keys and prices there are is known when they have come back from the log.
        if !caught_up(settings, &pool, Duration::ZERO).await? {
            let names = filling.join(" and ");
            say(&format!(
                "{names}: made anew from the log by `retrace projector`; migrate again when `retrace lag` shows none"
            ));
            return Ok(());
        }
        generations::filled(settings, &pool).await?;
    }
    let system = System { settings, pool: &pool };
    system.publish_prices(schemas::prices::SHIPPED, "").await?;
    let key = &settings.bootstrap_api_key;
    if !key.is_empty() && !system.knows_key(key).await? {
        system.create_key(&local_user(), Some(key)).await?;
    }
    Ok(())
}

/// Topics, databases and tables. Answers which projections are still being filled in the place of another version's.
pub async fn prepare(settings: &Settings, replace_outdated: bool) -> anyhow::Result<Vec<&'static str>> {
    let layouts = migrations::migrate(settings).await?;
    let of = |wanted: Layout| -> Vec<&'static str> {
        layouts.iter().filter(|(_, layout)| *layout == wanted).map(|(projection, _)| *projection).collect()
    };
    let outdated = of(Layout::Outdated);
    if outdated.is_empty() {
        return Ok(of(Layout::Filling));
    }
    if !replace_outdated {
        bail!(
            "the tables of {} are another version's; stop all services, and `retrace migrate --replace-outdated` makes \
             them anew from the log",
            outdated.join(" and ")
        );
    }
    let pool = runtime::postgres::pool(settings)?;
    for projection in &outdated {
        is_of_this_log(settings, &pool, projection).await?;
    }
    for projection in &outdated {
        generations::replace(settings, &pool, projection).await?;
    }
    pool.close().await;
    Ok([of(Layout::Filling), outdated].concat())
}

/// What a log no longer says must not be replaced by what it does.
async fn is_of_this_log(settings: &Settings, pool: &PgPool, projection: &str) -> anyhow::Result<()> {
    for standing in standings(settings, pool).await?.iter().filter(|standing| standing.projection == projection) {
        for topic in standing.topics() {
            refuse_incomplete_log(settings, topic).await?;
        }
        let beyond = standing.behind.iter().find(|(_, (applied, end))| applied > end);
        ensure!(
            beyond.is_none(),
            "the tables of {projection} are another version's and ahead of the log, which cannot make them anew; they are \
             left alone"
        );
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the command line talks to its user")]
fn say(text: &str) {
    println!("{text}");
}
