//! `retrace keys`.

use ingest::system::System;
use runtime::Settings;
use runtime::auth::Principal;

use crate::cli::KeysCommand;

#[expect(clippy::print_stdout, reason = "the command line talks to its user")]
pub async fn run(settings: &Settings, command: KeysCommand) -> anyhow::Result<()> {
    let KeysCommand::Create { tenant, user, role } = command;
    let pool = runtime::postgres::pool(settings)?;
    // A tenant that is not the user itself is an organisation.
    let org = (tenant != user).then(|| tenant.clone());
    let principal = Principal { tenant, user, org, role, key: None };
    let key = System { settings, pool: &pool }.create_key(&principal, None).await?;
    println!("{key}");
    Ok(())
}
