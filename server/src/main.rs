//! The command line's entry.

use std::process::ExitCode;

use clap::Parser;
use retrace_server::cli::{Cli, Command, TapeCommand};
use retrace_server::{commands, services, up};

/// Requests and flushes are made of small pieces, which glibc is slow at and keeps.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // The engine's front has no settings and brings its own runtime.
    let mut args = std::env::args_os().skip(1);
    if args.next().is_some_and(|command| command == "engine-clickhouse") {
        return report(engines::clickhouse::serve_from_args(args));
    }
    let cli = Cli::parse();
    report(run(cli))
}

/// One plain sentence with its causes; never a stack trace.
#[expect(clippy::print_stderr, reason = "the command line talks to its user")]
fn report(outcome: anyhow::Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(cause) => {
            eprintln!("retrace: {cause:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    // Another library may have chosen a provider already; either will do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let settings = || runtime::Settings::load(cli.config.as_deref());
    if let Command::FetchEngines = cli.command {
        return engines::cache::fetch_all(&engines::cache::default_folder()?).map(drop);
    }
    if let Command::OpenApi = cli.command {
        return commands::documents::openapi();
    }
    if let Command::Settings = cli.command {
        return commands::documents::settings();
    }
    if let Command::Permissions = cli.command {
        return commands::documents::permissions();
    }
    if let Command::Tape { command: TapeCommand::Verify { file } } = &cli.command {
        return commands::tape::verify(file);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(async {
        match cli.command {
            Command::Up(options) => up::up(settings()?, options).await,
            Command::Ingest => services::run(settings()?, services::Role::Ingest).await,
            Command::QueryApi => services::run(settings()?, services::Role::QueryApi).await,
            Command::Projector => services::run(settings()?, services::Role::Projector).await,
            Command::Migrate { replace_outdated } => commands::migrate::run(&settings()?, replace_outdated).await,
            Command::Keys { local, command } => commands::keys::run(&local.settings(settings()?)?, command).await,
            Command::Prices { local, command } => commands::prices::run(&local.settings(settings()?)?, command).await,
            Command::Plans { local, command } => commands::plans::run(&local.settings(settings()?)?, command).await,
            Command::Tape { command: TapeCommand::Feature { local, slug, off } } => {
                commands::tape::feature(&local.settings(settings()?)?, &slug, !off).await
            }
            Command::Reprice { local, options } => commands::reprice::run(&local.settings(settings()?)?, options).await,
            Command::Rebuild { local, projection } => {
                commands::rebuild::run(&local.settings(settings()?)?, &projection).await
            }
            Command::Verify { local, slices, command } => {
                commands::verify::run(&local.settings(settings()?)?, slices, command).await
            }
            Command::DeadLetters { local, command } => {
                commands::dead_letters::run(&local.settings(settings()?)?, command).await
            }
            Command::Demo(options) => commands::demo::run(&options.server.local.settings(settings()?)?, options).await,
            Command::Diff(options) => commands::diff::run(&options.server.local.settings(settings()?)?, options).await,
            Command::Trace(options) => {
                commands::trace::run(&options.server.local.settings(settings()?)?, options).await
            }
            Command::Lag { local } => commands::lag::run(&local.settings(settings()?)?).await,
            Command::FetchEngines | Command::OpenApi | Command::Settings | Command::Permissions => Ok(()),
            Command::Tape { command: TapeCommand::Verify { .. } } => Ok(()),
        }
    });
    // Threads that still read the log do not hold up the exit.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    outcome
}
