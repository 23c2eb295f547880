//! Makes the stores and topics what this version expects. Safe to run again, and by several processes at once.

pub mod clickhouse;
pub mod generations;
pub mod postgres;
pub mod topics;

pub use generations::Layout;
use runtime::Settings;

/// Everything that must exist before a service starts, but for tables of another version, which are left alone. Answers how
/// each projection's stand.
pub async fn migrate(settings: &Settings) -> anyhow::Result<Vec<(&'static str, Layout)>> {
    topics::create(settings).await?;
    postgres::create_database(settings).await?;
    let pool = runtime::postgres::pool(settings)?;
    postgres::coordination(&pool).await?;
    clickhouse::create_database(settings).await?;
    let mut layouts = Vec::new();
    for projection in ["workspace", "traces", "audit"] {
        layouts.push((projection, generations::live(settings, &pool, projection).await?));
    }
    pool.close().await;
    Ok(layouts)
}
