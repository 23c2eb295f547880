//! The engines without the product: what this crate's tests start ClickHouse with, and a way to fetch them all.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::bail;
use retrace_engines::{cache, clickhouse};

#[allow(clippy::print_stderr)]
fn main() -> ExitCode {
    match run(std::env::args_os().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut args: impl Iterator<Item = OsString>) -> anyhow::Result<()> {
    match args.next().as_ref().and_then(|command| command.to_str()) {
        Some("engine-clickhouse") => clickhouse::serve_from_args(args),
        Some("fetch-engines") => cache::fetch_all(&cache::default_folder()?).map(drop),
        _ => bail!("The commands are engine-clickhouse and fetch-engines"),
    }
}
