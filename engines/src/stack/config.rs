//! From a configuration to engines that run.

use std::path::PathBuf;

use crate::cache::Engines;
use crate::clickhouse::{ClickHouseRecipe, DEFAULT_MEMORY};
use crate::kafka::{HEAP_MB, KafkaRecipe};
use crate::postgres::PostgresRecipe;

use super::folder::DataFolder;
use super::ports::Ports;
use super::recipe::Recipe;
use super::secret;
use super::supervise::Supervised;

#[derive(Debug, Clone)]
pub struct StackConfig {
    pub data: PathBuf,
    pub cache: PathBuf,
    /// The first of four ports in a row: Kafka, its controller, ClickHouse, Postgres. `None` takes free ones.
    pub port_base: Option<u16>,
    /// The program whose subcommand `engine-clickhouse` runs [`crate::clickhouse::serve_from_args`].
    pub retrace_bin: PathBuf,
    /// Lets the JVM compile quickly rather than well: for tests.
    pub kafka_c1_only: bool,
    /// More is for many installations on one broker.
    pub kafka_heap_mb: u32,
    /// Further lines of Kafka's `server.properties`, which win.
    pub kafka_properties: String,
    /// What ClickHouse may allocate, in bytes.
    pub clickhouse_memory: u64,
    /// The least free space on the data folder's disk, in bytes.
    pub min_free: u64,
}

impl StackConfig {
    pub fn new(data: impl Into<PathBuf>, cache: impl Into<PathBuf>, retrace_bin: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            cache: cache.into(),
            port_base: None,
            retrace_bin: retrace_bin.into(),
            kafka_c1_only: false,
            kafka_heap_mb: HEAP_MB,
            kafka_properties: String::new(),
            clickhouse_memory: DEFAULT_MEMORY,
            min_free: 1 << 30,
        }
    }
}

/// How clients reach the engines.
#[derive(Debug, Clone)]
pub struct Endpoints {
    pub kafka_brokers: String,
    pub clickhouse_url: String,
    pub clickhouse_user: String,
    pub clickhouse_password: String,
    /// Holds user, password and database.
    pub postgres_url: String,
}

pub(super) fn assemble(
    config: &StackConfig,
    files: &Engines,
    folder: &DataFolder,
    ports: Ports,
) -> anyhow::Result<(Endpoints, [Supervised; 3])> {
    let kafka = KafkaRecipe {
        engines: files.clone(),
        folder: folder.join("kafka"),
        log_file: folder.join("logs/kafka.log"),
        port: ports.kafka,
        controller_port: ports.kafka_controller,
        c1_only: config.kafka_c1_only,
        heap_mb: config.kafka_heap_mb,
        extra: config.kafka_properties.clone(),
    };
    let clickhouse = ClickHouseRecipe {
        program: std::path::absolute(&config.retrace_bin)?,
        lib: files.libchdb.clone(),
        folder: folder.join("clickhouse"),
        port: ports.clickhouse,
        memory: config.clickhouse_memory,
        password: secret::read_or_make(&folder.join("clickhouse.password"))?,
    };
    let password_file = folder.join("postgres.password");
    let postgres =
        PostgresRecipe::new(folder.join("postgres"), &config.cache, &files.postgres, &password_file, ports.postgres)?;
    let endpoints = Endpoints {
        kafka_brokers: format!("127.0.0.1:{}", ports.kafka),
        clickhouse_url: format!("http://127.0.0.1:{}", ports.clickhouse),
        clickhouse_user: "default".into(),
        clickhouse_password: clickhouse.password.clone(),
        postgres_url: postgres.url(),
    };
    let recipes: [Box<dyn Recipe>; 3] = [Box::new(kafka), Box::new(clickhouse), Box::new(postgres)];
    let engines = recipes.map(|recipe| {
        let output = folder.join(&format!("logs/{}.out.log", recipe.engine().name().to_lowercase()));
        Supervised::start(recipe, output)
    });
    Ok((endpoints, engines))
}
