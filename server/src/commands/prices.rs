//! `retrace prices`.

use anyhow::Context;
use ingest::system::System;
use runtime::Settings;

use crate::cli::PricesCommand;

#[expect(clippy::print_stdout, reason = "the command line talks to its user")]
pub async fn run(settings: &Settings, command: PricesCommand) -> anyhow::Result<()> {
    let PricesCommand::Publish { file, tenant } = command;
    let table = std::fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))?;
    let pool = runtime::postgres::pool(settings)?;
    let published = System { settings, pool: &pool }.publish_prices(&table, &tenant).await?;
    println!("{}", if published { "published" } else { "this table is in force already" });
    Ok(())
}
