use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use retrace_engines::{Endpoints, Stack, StackConfig, cache};
use tempfile::TempDir;

pub fn config(data: &Path) -> StackConfig {
    let cache = cache::default_folder().unwrap();
    let mut config = StackConfig::new(data, cache, env!("CARGO_BIN_EXE_retrace-engine"));
    config.kafka_c1_only = true;
    config
}

pub struct Running {
    pub stack: Stack,
    pub data: TempDir,
}

pub async fn start() -> Running {
    let data = tempfile::tempdir().unwrap();
    let stack = Stack::start(config(data.path())).await.unwrap();
    Running { stack, data }
}

pub fn clickhouse(endpoints: &Endpoints) -> clickhouse::Client {
    clickhouse::Client::default()
        .with_url(&endpoints.clickhouse_url)
        .with_user(&endpoints.clickhouse_user)
        .with_password(&endpoints.clickhouse_password)
}

/// One stack for all tests that only use ClickHouse; it ends with the process. Its runtime outlives the tests'.
pub fn shared_clickhouse() -> clickhouse::Client {
    static SHARED: OnceLock<(tokio::runtime::Runtime, Running)> = OnceLock::new();
    let (_, running) = SHARED.get_or_init(|| {
        std::thread::spawn(|| {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            let running = runtime.block_on(start());
            (runtime, running)
        })
        .join()
        .unwrap()
    });
    clickhouse(running.stack.endpoints())
}

pub fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(15);
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
