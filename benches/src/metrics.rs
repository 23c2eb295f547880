//! What the server counts itself, over the run.

use std::collections::BTreeMap;

use crate::options::Options;

pub type Metrics = BTreeMap<String, f64>;

/// Of the servers that are written to and read from; what a server does not tell is left out.
pub async fn of(options: &Options) -> Metrics {
    let mut all = read(&options.url).await.unwrap_or_default();
    if let Some(url) = options.read_url.as_ref().filter(|url| **url != options.url) {
        for (name, value) in read(url).await.unwrap_or_default() {
            *all.entry(name).or_default() += value;
        }
    }
    all
}

async fn read(url: &str) -> anyhow::Result<Metrics> {
    let text = reqwest::get(format!("{}/metrics", url.trim_end_matches('/'))).await?.error_for_status()?.text().await?;
    let line = |line: &str| {
        let (name, value) = line.rsplit_once(' ')?;
        Some((name.to_owned(), value.parse().ok()?))
    };
    Ok(text
        .lines()
        .filter(|line| line.starts_with("retrace_") && !line.contains("_bucket{"))
        .filter_map(line)
        .collect())
}

/// Gauges as they are, everything else as what was added.
pub fn since(before: &Metrics, mut after: Metrics) -> Metrics {
    for (name, value) in &mut after {
        if !name.starts_with("retrace_lag") && !name.starts_with("retrace_queue") {
            *value -= before.get(name).copied().unwrap_or_default();
        }
    }
    after.retain(|_, value| *value != 0.0);
    after
}
