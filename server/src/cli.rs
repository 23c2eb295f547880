//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use runtime::kafka::refusals::Place;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::local::Local;

/// Retrace records the execution of AI agents.
#[derive(Parser)]
#[command(name = "retrace", version)]
pub struct Cli {
    /// A TOML file of settings; `RETRACE_…` in the environment wins over it.
    #[arg(long, global = true, env = "RETRACE_CONFIG")]
    pub config: Option<PathBuf>,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Everything on this machine: engines, ingest, projector and query-api in one process.
    Up(UpOptions),
    /// The command side alone: HTTP in, events appended to Kafka.
    Ingest,
    /// The read side alone.
    QueryApi,
    /// The projections alone.
    Projector,
    /// Create topics, databases and tables, and publish the price table.
    Migrate {
        /// Drop tables that another version has made, and fill them anew from the log. All services must be stopped.
        #[arg(long)]
        replace_outdated: bool,
    },
    /// API keys without an identity provider.
    Keys {
        #[command(flatten)]
        local: Local,
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// Price tables.
    Prices {
        #[command(flatten)]
        local: Local,
        #[command(subcommand)]
        command: PricesCommand,
    },
    /// The plans of tenants.
    Plans {
        #[command(flatten)]
        local: Local,
        #[command(subcommand)]
        command: PlansCommand,
    },
    /// Tapes: files of them, and what the operator puts forward.
    Tape {
        #[command(subcommand)]
        command: TapeCommand,
    },
    /// Price what is recorded by the price tables that are in force now: shows the change; `--yes` appends it.
    Reprice {
        #[command(flatten)]
        local: Local,
        #[command(flatten)]
        options: RepriceOptions,
    },
    /// Build a projection anew from the log, beside the live one, and switch to it.
    Rebuild {
        #[command(flatten)]
        local: Local,
        /// `traces`, `workspace` or `audit`
        projection: String,
    },
    /// Compare every projection with a naive fold of the log.
    Verify {
        #[command(flatten)]
        local: Local,
        /// Passes over the log; each holds one slice of the traces in memory.
        #[arg(long, default_value_t = 1)]
        slices: u32,
        #[command(subcommand)]
        command: Option<VerifyCommand>,
    },
    /// What the projections have refused, and once more.
    DeadLetters {
        #[command(flatten)]
        local: Local,
        #[command(subcommand)]
        command: DeadLettersCommand,
    },
    /// Send three weeks of made-up traffic to a running server, so that everything has something to show: at once, or with
    /// `--url` at the pace of its rate limit.
    Demo(DemoOptions),
    /// What differs between two traces of a running server, step by step.
    Diff(DiffOptions),
    /// A trace of a running server as the tree of its spans.
    Trace(TraceOptions),
    /// How far each projection is behind the log.
    Lag {
        #[command(flatten)]
        local: Local,
    },
    /// Fetch the engines into the cache.
    FetchEngines,
    /// Print the OpenAPI document.
    #[command(name = "openapi")]
    OpenApi,
    /// Print every setting with its default and meaning.
    Settings,
    /// Print what each role may do.
    Permissions,
}

#[derive(Args, Clone)]
pub struct UpOptions {
    /// Address to serve on.
    #[arg(long)]
    pub listen: Option<String>,
    /// Folder for all data and logs.
    #[arg(long, env = "RETRACE_DATA", default_value = ".retrace")]
    pub data: PathBuf,
    /// First of four ports in a row for the engines; free ones are taken where this is absent.
    #[arg(long, env = "RETRACE_PORT_BASE")]
    pub port_base: Option<u16>,
    /// Let the JVM compile quickly rather than well: for tests.
    #[arg(long, hide = true)]
    pub quick_jvm: bool,
}

// A running server, and who asks it; clap would show a doc comment as that of the command.
#[derive(Args, Clone)]
pub struct Server {
    #[command(flatten)]
    pub local: Local,
    /// Where it is; by default the server of `--data` or of the settings.
    #[arg(long)]
    pub url: Option<String>,
    /// An API key; by default the first one of `--data`.
    #[arg(long, env = "RETRACE_API_KEY", hide_env_values = true)]
    pub key: Option<String>,
}

#[derive(Args, Clone)]
pub struct DiffOptions {
    #[command(flatten)]
    pub server: Server,
    /// The trace that is compared with.
    pub a: String,
    /// The other one.
    pub b: String,
    /// Also the steps that are the same.
    #[arg(long)]
    pub all: bool,
    /// As the interface answers, all pages as one.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Clone)]
pub struct TraceOptions {
    #[command(flatten)]
    pub server: Server,
    /// Its id.
    pub id: String,
    /// As the interface answers.
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Clone)]
pub struct DemoOptions {
    #[command(flatten)]
    pub server: Server,
    /// The same seed makes the same traffic: on the same day, a second run only adds what has happened since.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Traces over all days and the whole of today.
    #[arg(long, default_value_t = 8_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub traces: u64,
    /// Whole days before today.
    #[arg(long, default_value_t = 21, value_parser = clap::value_parser!(u32).range(1..=366))]
    pub days: u32,
    /// Requests at a time.
    #[arg(long, default_value_t = 32)]
    pub connections: usize,
}

#[derive(Args, Clone, Debug)]
pub struct RepriceOptions {
    /// Traces of this tenant only.
    #[arg(long)]
    pub tenant: Option<String>,
    /// Traces of this project only.
    #[arg(long)]
    pub project: Option<String>,
    /// Traces that started at or after (RFC 3339).
    #[arg(long, value_parser = rfc3339)]
    pub from: Option<OffsetDateTime>,
    /// Traces that started before (RFC 3339).
    #[arg(long, value_parser = rfc3339)]
    pub to: Option<OffsetDateTime>,
    /// Traces in which a call of this model changes; may be given several times. All calls of such a trace are repriced.
    #[arg(long = "model")]
    pub models: Vec<String>,
    /// Only show the change; so it is without `--yes`, too.
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
    /// Append the change that is shown.
    #[arg(long)]
    pub yes: bool,
    /// At most so many traces a second are appended.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..))]
    pub rate: u32,
}

fn rfc3339(text: &str) -> Result<OffsetDateTime, String> {
    OffsetDateTime::parse(text, &Rfc3339).map_err(|_| "is not an RFC 3339 time".to_owned())
}

#[derive(Subcommand)]
pub enum VerifyCommand {
    /// Only the audit: its rows against the hashes of the log, computed anew from the first record on.
    Audit {
        /// An answer of `GET /api/v1/audit-logs/heads` that was kept: the log must still lead to its hashes.
        #[arg(long)]
        heads: Option<PathBuf>,
    },
}

#[derive(Subcommand)]
pub enum KeysCommand {
    /// Make a new key the current one of a user, and print it.
    Create {
        #[arg(long, default_value = "local")]
        tenant: String,
        #[arg(long, default_value = "local")]
        user: String,
        /// What it allows (`retrace permissions`).
        #[arg(long, default_value = "owner", value_parser = ["owner", "admin", "member", "viewer"])]
        role: String,
    },
}

#[derive(Subcommand)]
pub enum DeadLettersCommand {
    /// Every refused record: by whom, where it stands, its event and the reason.
    List,
    /// Append refused records again, for the projection that refused them: all that were not yet, or one.
    Redrive {
        #[arg(long)]
        projection: Option<String>,
        /// As listed: topic/partition/offset. It may have been re-driven before.
        #[arg(long)]
        origin: Option<Place>,
    },
}

#[derive(Subcommand)]
pub enum PlansCommand {
    /// Give a tenant a plan, whatever it pays for, until it buys another.
    Set {
        #[arg(long)]
        tenant: String,
        /// One of the setting `plans`.
        #[arg(long)]
        plan: String,
    },
    /// Take back what was set: a tenant has what it pays for, else the default.
    Clear {
        #[arg(long)]
        tenant: String,
    },
    /// The plan of each tenant that has one, or all that was said of one tenant's.
    List {
        #[arg(long)]
        tenant: Option<String>,
    },
}

#[derive(Subcommand)]
pub enum TapeCommand {
    /// Check a file that `GET /api/v1/tapes/…/export` gave: its hash, and every line. Nothing is asked for it.
    Verify { file: PathBuf },
    /// Put a tape among the featured ones, or take it out.
    Feature {
        #[command(flatten)]
        local: Local,
        /// As in its address.
        slug: String,
        #[arg(long)]
        off: bool,
    },
}

#[derive(Subcommand)]
pub enum PricesCommand {
    /// Publish a table: for every tenant, or for one.
    Publish {
        file: PathBuf,
        #[arg(long, default_value = "")]
        tenant: String,
    },
}
