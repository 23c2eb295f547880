//! The disk under Kafka's log fills up: a small one of its own, mounted where a separate stack has its log.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use engines::{Engine, Stack, StackConfig};
use uuid::Uuid;

use super::mounted::Mounted;
use super::{Request, TRACES, all_answered, all_refused, path, trace, wrong};
use crate::harness::{Retrace, binary, eventually};

const SIZE: &str = "64m";
const PRODUCE_TIMEOUT_MS: u32 = 3_000;

/// Small, and in memory.
struct Disk(Mounted);

impl Disk {
    fn mount(folder: &Path) -> Option<Disk> {
        fs::create_dir_all(folder).unwrap();
        Mounted::on(folder, &format!("size={SIZE}")).map(Disk)
    }

    fn filler(&self) -> PathBuf {
        self.0.path().join("filler")
    }

    fn fill(&self) {
        let mut file = File::create(self.filler()).unwrap();
        // The last page too.
        for size in [1 << 20, 4096, 1] {
            while file.write_all(&vec![b'x'; size]).is_ok() {}
        }
    }

    fn free(&self) {
        fs::remove_file(self.filler()).unwrap();
    }
}

async fn stack(data: &Path) -> Stack {
    let mut config = StackConfig::new(data, engines::cache::default_folder().unwrap(), binary());
    config.kafka_c1_only = true;
    Stack::start(config).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_disk_writes_are_refused_and_nothing_acknowledged_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let Some(disk) = Disk::mount(&data.join("kafka/log")) else {
        eprintln!("not run: only root can mount a small disk for Kafka");
        return;
    };
    let stack = stack(&data).await;
    let endpoints = stack.endpoints().clone();
    let retrace = Retrace::with(|settings| {
        let (_, database) = settings.postgres_url.rsplit_once('/').unwrap();
        let (server, _) = endpoints.postgres_url.rsplit_once('/').unwrap();
        settings.postgres_url = format!("{server}/{database}");
        settings.kafka_brokers = endpoints.kafka_brokers;
        settings.clickhouse_url = endpoints.clickhouse_url;
        settings.clickhouse_password = endpoints.clickhouse_password;
        settings.produce_timeout_ms = PRODUCE_TIMEOUT_MS;
    })
    .await;
    let client = &retrace.client;
    let mut acknowledged = Vec::new();
    for _ in 0..20 {
        let id = Uuid::new_v4();
        client.post(TRACES, &trace(id, 0..3)).await.expect(201);
        acknowledged.push(id);
    }
    retrace.settled().await;
    let kept = acknowledged[0];

    disk.fill();
    // Pages that were begun still take something.
    let mut refused = Vec::new();
    let deadline = Instant::now() + Duration::from_secs(60);
    while refused.len() < 5 {
        assert!(Instant::now() < deadline, "the full disk is not noticed");
        let id = Uuid::new_v4();
        let started = Instant::now();
        let answer = client.post(TRACES, &trace(id, 0..40)).await;
        match answer.status.as_u16() {
            201 => acknowledged.push(id),
            503 => {
                assert!(answer.headers.contains_key("retry-after"));
                refused.push(id);
            }
            other => panic!("{other} {}", answer.text),
        }
        assert!(
            started.elapsed() < Duration::from_millis(PRODUCE_TIMEOUT_MS as u64 + 4_000),
            "{:?}",
            started.elapsed()
        );
    }
    let while_full = acknowledged.len() - 20;
    let within = Duration::from_millis(PRODUCE_TIMEOUT_MS as u64 + 4_000);
    let judge = Request::post(format!("{}/feedback", path(kept)), serde_json::json!({"value": 1}));
    let posts = [Request::post(TRACES, trace(Uuid::new_v4(), 0..2)), judge];
    all_refused(client, &posts, within).await;
    all_answered(client, &[(200, Request::get(path(kept))), (200, Request::get(TRACES))], Duration::from_secs(5)).await;
    let said = wrong(client).await;
    assert!(said.iter().any(|(name, _)| name == "kafka"), "{said:?}");
    let health = stack.health();
    eprintln!("{while_full} accepted on the full disk, then refused; Kafka: {:?}", health[Engine::Kafka as usize]);

    let freed = Instant::now();
    disk.free();
    // It is started again by itself.
    for id in &refused {
        Request::post(TRACES, trace(*id, 0..40)).until_answered(client).await.expect(201);
    }
    eprintln!("accepted again {:?} after there was room", freed.elapsed());
    eventually("all is well again", async || wrong(client).await.is_empty()).await;
    retrace.settled().await;
    for (n, id) in acknowledged.iter().enumerate() {
        let spans = if n < 20 { 3 } else { 40 };
        assert_eq!(client.get(&path(*id)).await.expect(200).json()["span_count"], spans);
    }
    for id in &refused {
        assert_eq!(client.get(&path(*id)).await.expect(200).json()["span_count"], 40);
    }
    retrace.assert_exact().await;
    drop(retrace);
    stack.stop().await;
}
