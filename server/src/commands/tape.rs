//! `retrace tape`.

use std::path::Path;

use anyhow::{Context, bail};
use ingest::system::System;
use runtime::Settings;
use schemas::tapes;

/// Without a server: the hash, and that the lines are those of a tape.
#[expect(clippy::print_stdout, reason = "the command line talks to its user")]
pub fn verify(file: &Path) -> anyhow::Result<()> {
    let shown = file.display();
    let bytes = std::fs::read(file).with_context(|| format!("{shown} cannot be read"))?;
    let tape = tapes::read(&bytes).map_err(|fault| anyhow::anyhow!("{shown}: {fault}"))?;
    println!("{shown} is whole: \"{}\", {} steps", tape.about.title, tape.steps.len());
    println!("sha256 of the snapshot: {}", tape.sha256);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the command line talks to its user")]
pub async fn feature(settings: &Settings, slug: &str, featured: bool) -> anyhow::Result<()> {
    let pool = runtime::postgres::pool(settings)?;
    if (System { settings, pool: &pool }).feature_tape(slug, featured).await?.is_none() {
        bail!("there is no tape `{slug}`");
    }
    println!("{slug} is {}", if featured { "featured" } else { "featured no more" });
    Ok(())
}
