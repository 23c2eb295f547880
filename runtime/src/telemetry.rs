//! Logs: one JSON object a line, with the ids of the request or event.

use anyhow::Context;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

use crate::Settings;

/// Logs to the writer; call once a process.
pub fn start(settings: &Settings, writer: BoxMakeWriter) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&settings.log).context("the setting `log`")?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    let started = if settings.log_format == "json" {
        builder.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init()
    } else {
        builder.with_ansi(false).try_init()
    };
    started.map_err(|e| anyhow::anyhow!("logging could not be started: {e}"))
}
