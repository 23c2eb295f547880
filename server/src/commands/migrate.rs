//! `retrace migrate`: what must exist before the services start. Safe to repeat.

use ingest::system::System;
use runtime::Settings;

use crate::up::local_user;

pub async fn run(settings: &Settings) -> anyhow::Result<()> {
    migrations::migrate(settings).await?;
    let pool = runtime::postgres::pool(settings)?;
    let system = System { settings, pool: &pool };
    system.publish_prices(schemas::prices::SHIPPED, "").await?;
    let key = &settings.bootstrap_api_key;
    if !key.is_empty() && !system.knows_key(key).await? {
        system.create_key(&local_user(), Some(key)).await?;
    }
    Ok(())
}
