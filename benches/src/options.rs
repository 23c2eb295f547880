//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser};

use crate::live::LiveOptions;

/// Puts load on a running Retrace and measures it.
#[derive(Parser)]
#[command(name = "load")]
pub struct Options {
    /// Base URL that traces are posted to.
    #[arg(long, default_value = "http://127.0.0.1:3001")]
    pub url: String,
    /// Base URL that traces are read from, where it is another.
    #[arg(long)]
    pub read_url: Option<String>,
    /// An API key.
    #[arg(long, env = "RETRACE_API_KEY", hide_env_values = true)]
    pub key: String,
    #[arg(long, default_value_t = 500_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub spans: u64,
    /// One trace is one request. Traffic has its own sizes.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub spans_per_trace: u64,
    #[command(flatten)]
    pub traffic: TrafficOptions,
    #[command(flatten)]
    pub live: LiveOptions,
    #[arg(long, default_value_t = 16)]
    pub connections: usize,
    /// Spans a second to aim at; 0: as fast as the answers come.
    #[arg(long, default_value_t = 0)]
    pub rate: u64,
    /// Bytes of input and output of a span, on average.
    #[arg(long, default_value_t = 1024)]
    pub span_bytes: usize,
    /// Send bodies gzip-encoded (level 6).
    #[arg(long, group = "encoding")]
    pub gzip: bool,
    /// Send bodies zstd-encoded (level 3).
    #[arg(long, group = "encoding")]
    pub zstd: bool,
    /// Send bodies as they are: the default.
    #[arg(long, group = "encoding")]
    pub identity: bool,
    /// Milliseconds between two traces that are watched for becoming visible; 0: none.
    #[arg(long, default_value_t = 250)]
    pub probe_ms: u64,
    /// Kafka brokers to produce the same bytes to with bare librdkafka, for comparison.
    #[arg(long)]
    pub kafka: Option<String>,
    /// Processes on this machine whose CPU time and memory are reported, with all of their children.
    #[arg(long)]
    pub watch: Vec<u32>,
    /// A name for this run.
    #[arg(long, default_value = "")]
    pub label: String,
    /// Write all figures here.
    #[arg(long)]
    pub json: Option<PathBuf>,
}

/// Made-up traffic over many days in place of equal traces of this moment: stores to measure queries on.
#[derive(Args)]
pub struct TrafficOptions {
    /// Post traffic with cycles, tails and incidents over many days: about as many spans as are asked for.
    #[arg(long)]
    pub traffic: bool,
    /// The same seed makes the same traffic again, on the same day; by default each run makes another.
    #[arg(long, requires = "traffic")]
    pub seed: Option<u64>,
    /// Whole days before today, which is left out.
    #[arg(long, default_value_t = 30, requires = "traffic")]
    pub days: u32,
    #[arg(long, default_value_t = 20, requires = "traffic")]
    pub projects: usize,
    #[arg(long, default_value_t = 300, requires = "traffic")]
    pub names: usize,
    #[arg(long, default_value_t = 40, requires = "traffic")]
    pub models: usize,
    #[arg(long, default_value_t = 60, requires = "traffic")]
    pub incidents: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Identity,
    Gzip,
    Zstd,
}

impl Options {
    pub fn encoding(&self) -> Encoding {
        match (self.gzip, self.zstd) {
            (true, _) => Encoding::Gzip,
            (_, true) => Encoding::Zstd,
            _ => Encoding::Identity,
        }
    }
}

impl Encoding {
    pub fn name(self) -> &'static str {
        match self {
            Encoding::Identity => "identity",
            Encoding::Gzip => "gzip",
            Encoding::Zstd => "zstd",
        }
    }
}
