//! `retrace verify`: the projections against the reference fold.

use runtime::Settings;

pub async fn run(_settings: &Settings, _slices: u32) -> anyhow::Result<()> {
    anyhow::bail!("filled in below")
}
