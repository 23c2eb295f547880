//! Killed engines, killed parents, outages, restarts.

use std::fs;
use std::process::{Command, Stdio};

use retrace_engines::Engine;

use crate::support::{self, clickhouse, wait_for};

#[tokio::test]
async fn killed_engines_come_back_with_their_data() {
    let running = support::start().await;
    let (stack, client) = (&running.stack, clickhouse(running.stack.endpoints()));
    client.query("CREATE TABLE kept (a UInt64) ENGINE = MergeTree ORDER BY a").execute().await.unwrap();
    client.query("INSERT INTO kept SELECT number FROM numbers(1000)").execute().await.unwrap();
    for engine in Engine::ALL {
        let pid = stack.pid(engine);
        stack.kill(engine);
        wait_for("the end of the killed engine", || stack.pid(engine) != pid);
        stack.wait_until_up(engine).await.unwrap();
    }
    let count: u64 = client.query("SELECT count() FROM kept").fetch_one().await.unwrap();
    assert_eq!(count, 1000);
    for health in stack.health() {
        assert!(health.up && health.restarts >= 1, "{health:?}");
        assert!(health.last_error.as_ref().is_some_and(|error| error.contains("signal: 9")), "{health:?}");
    }
    running.stack.stop().await;
}

#[tokio::test]
async fn an_engine_is_held_down_and_a_second_start_finds_the_data() {
    let running = support::start().await;
    let client = clickhouse(running.stack.endpoints());
    client.query("CREATE TABLE kept (a UInt64) ENGINE = MergeTree ORDER BY a").execute().await.unwrap();
    client.query("INSERT INTO kept VALUES (7)").execute().await.unwrap();

    running.stack.stop_engine(Engine::ClickHouse).await;
    assert_eq!(running.stack.pid(Engine::ClickHouse), None);
    assert!(running.stack.health().iter().any(|health| health.name == "ClickHouse" && !health.up));
    client.query("SELECT 1").execute().await.unwrap_err();
    running.stack.start_engine(Engine::ClickHouse).await.unwrap();
    client.query("SELECT 1").execute().await.unwrap();

    let started = std::time::Instant::now();
    running.stack.stop().await;
    assert!(started.elapsed().as_secs() < 10);

    let again = retrace_engines::Stack::start(support::config(running.data.path())).await.unwrap();
    let kept: u64 = clickhouse(again.endpoints()).query("SELECT a FROM kept").fetch_one().await.unwrap();
    assert_eq!(kept, 7);
    again.stop().await;
}

const PARENT: &str = "RETRACE_TEST_PARENT_DATA";

/// Not a test of its own: what `no_child_outlives_a_killed_parent` runs in a process that it then kills.
#[tokio::test]
#[ignore = "run by another test"]
async fn parent() {
    let data = std::path::PathBuf::from(std::env::var_os(PARENT).unwrap());
    let stack = retrace_engines::Stack::start(support::config(&data)).await.unwrap();
    let pids: Vec<_> = Engine::ALL.iter().map(|engine| stack.pid(*engine).unwrap().to_string()).collect();
    fs::write(data.join("pids.new"), pids.join("\n")).unwrap();
    fs::rename(data.join("pids.new"), data.join("pids")).unwrap();
    std::future::pending::<()>().await;
}

#[test]
fn no_child_outlives_a_killed_parent() {
    let data = tempfile::tempdir().unwrap();
    let mut parent = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "faults::parent", "--ignored"])
        .env(PARENT, data.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let file = data.path().join("pids");
    wait_for("the parent's engines", || file.exists());
    let pids: Vec<String> = fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(pids.iter().filter(|pid| is_alive(pid)).count(), 3);
    parent.kill().unwrap();
    parent.wait().unwrap();
    wait_for("the children's end", || !pids.iter().any(|pid| is_alive(pid)));
}

/// A process that has ended but was not waited for does not count.
fn is_alive(pid: &str) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| stat.rsplit(')').next().is_some_and(|rest| !rest.starts_with(" Z")))
}
