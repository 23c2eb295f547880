//! The life of `retrace up`: started, disturbed, stopped, killed, and started again over the same data.

use std::fs;
use std::path::Path;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use uuid::Uuid;

use super::command_line::refusal;
use super::{TRACES, path, trace, wrong};
use crate::harness::process::{Running, descendants, kill};
use crate::harness::{Client, NO_SETTINGS, Process, eventually, free_port};

const STOPS_WITHIN: Duration = Duration::from_secs(10);

/// One that serves.
async fn start(folder: &Path, name: &str, listen: &str) -> (Process, Client) {
    let data = folder.join("data");
    let args = ["up", "--quick-jvm", "--listen", listen, "--data", data.to_str().unwrap()];
    let mut up = Process::start(folder, name, &args, NO_SETTINGS);
    eventually("the start", async || {
        assert!(up.status().is_none(), "it ended: {}{}", up.stdout(), up.stderr());
        up.stdout().contains("Retrace is ready at")
    })
    .await;
    let key = fs::read_to_string(data.join("api-key")).unwrap();
    assert!(up.stdout().contains(&key));
    (up, Client::new(&format!("http://{listen}"), &key))
}

/// The engines, and what they have started.
fn family(up: &Process) -> Vec<Running> {
    let family = descendants(up.pid());
    for engine in ["java", "retrace", "postgres"] {
        assert!(family.iter().any(|process| process.name == engine), "{family:?}");
    }
    family
}

async fn all_end(family: &[Running], within: Duration) {
    let deadline = Instant::now() + within;
    while let Some(left) = family.iter().find(|process| process.runs()) {
        assert!(Instant::now() < deadline, "{left:?} still runs after {within:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Runs one of the operator's commands beside it.
async fn command(folder: &Path, name: &str) -> (Process, ExitStatus) {
    let data = folder.join("data");
    let mut command = Process::start(folder, name, &[name, "--data", data.to_str().unwrap()], NO_SETTINGS);
    let status = command.end(Duration::from_secs(60)).await;
    (command, status)
}

async fn verify(folder: &Path) {
    let (verify, status) = command(folder, "verify").await;
    let said = verify.stdout();
    assert_eq!(status.code(), Some(0), "{said}{}", verify.stderr());
    assert!(said.lines().last().is_some_and(|line| line.starts_with("0 differences")), "{said}");
}

async fn kafka(up: &Process) -> Running {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(java) = descendants(up.pid()).into_iter().find(|process| process.name == "java") {
            return java;
        }
        assert!(Instant::now() < deadline, "Kafka is not started again");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Killed again before it serves, it is started again after ever longer pauses; `/readyz` says so meanwhile.
async fn kill_kafka(up: &Process, client: &Client) {
    assert!(wrong(client).await.is_empty());
    for pause in [200, 400, 800] {
        let engine = kafka(up).await;
        kill(engine.pid, Signal::KILL);
        let killed = Instant::now();
        all_end(&[engine], Duration::from_secs(5)).await;
        kafka(up).await;
        let took = killed.elapsed();
        assert!(took >= Duration::from_millis(pause), "started again after {took:?}, within {pause} ms");
    }
    let said = wrong(client).await;
    let engines = said.iter().find(|(name, _)| name == "engines").map(|(_, text)| text.as_str()).unwrap_or_default();
    assert!(engines.contains("Kafka is down") && engines.contains("signal: 9"), "{said:?}");
    assert!(!engines.contains("ClickHouse") && !engines.contains("Postgres"), "{engines}");
    eventually("Kafka", async || wrong(client).await.is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn up_survives_its_engines_stops_in_order_and_leaves_nothing_when_killed() {
    let folder = tempfile::tempdir().unwrap();
    let listen = format!("127.0.0.1:{}", free_port());
    let [first, second, third] = std::array::from_fn(|_| Uuid::new_v4());
    let (mut up, client) = start(folder.path(), "first", &listen).await;
    client.post(TRACES, &trace(first, 0..3)).await.expect(201);
    assert_eq!(client.get(&path(first)).await.expect(200).json()["span_count"], 3);

    // Another process on the same data.
    let data = folder.path().join("data");
    let elsewhere = format!("127.0.0.1:{}", free_port());
    let said = refusal(&["--listen", &elsewhere, "--data", data.to_str().unwrap()], NO_SETTINGS).await;
    assert!(said.contains(&format!("is in use by process {}", up.pid())) && said.contains("--data"), "{said}");

    kill_kafka(&up, &client).await;
    client.post(TRACES, &trace(second, 0..3)).await.expect(201);
    verify(folder.path()).await;

    let children = family(&up);
    up.signal(Signal::INT);
    let asked = Instant::now();
    let status = up.end(STOPS_WITHIN).await;
    assert_eq!(status.code(), Some(0), "{}", up.stderr());
    eprintln!("Ctrl-C: ended after {:?}", asked.elapsed());
    all_end(&children, Duration::from_secs(1)).await;
    // An operator's command has nothing to talk to then.
    let (lag, status) = command(folder.path(), "lag").await;
    let said = lag.stderr();
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.starts_with("retrace: ") && said.trim_end().lines().count() == 1, "{said}");

    let (mut up, client) = start(folder.path(), "second", &listen).await;
    for id in [first, second] {
        assert_eq!(client.get(&path(id)).await.expect(200).json()["span_count"], 3);
    }
    let children = family(&up);
    client.post(TRACES, &trace(third, 0..3)).await.expect(201);
    up.signal(Signal::KILL);
    let killed = Instant::now();
    up.end(STOPS_WITHIN).await;
    all_end(&children, STOPS_WITHIN).await;
    eprintln!("killed: {} children were gone after {:?}", children.len(), killed.elapsed());

    let (mut up, client) = start(folder.path(), "third", &listen).await;
    for id in [first, second, third] {
        assert_eq!(client.get(&path(id)).await.expect(200).json()["span_count"], 3);
    }
    verify(folder.path()).await;
    let children = family(&up);
    up.signal(Signal::TERM);
    assert_eq!(up.end(STOPS_WITHIN).await.code(), Some(0), "{}", up.stderr());
    all_end(&children, Duration::from_secs(1)).await;
}
