//! What goes wrong is said in one plain sentence.

use std::fs;
use std::net::TcpListener;

use retrace_engines::{Stack, cache};

use crate::support;

async fn fault(config: retrace_engines::StackConfig) -> String {
    match Stack::start(config).await {
        Ok(_) => panic!("it started"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn a_data_folder_in_use() {
    let running = support::start().await;
    let sentence = fault(support::config(running.data.path())).await;
    let data = running.data.path().canonicalize().unwrap();
    let start = format!(
        "The data folder {} is in use by process {}: stop it, or choose another",
        data.display(),
        std::process::id()
    );
    assert!(sentence.starts_with(&start), "{sentence}");
}

#[tokio::test]
async fn a_taken_port() {
    let data = tempfile::tempdir().unwrap();
    let taken = last_of_four();
    let port = taken.local_addr().unwrap().port();
    let mut config = support::config(data.path());
    config.port_base = Some(port - 3);
    let sentence = fault(config).await;
    assert!(
        sentence.starts_with(&format!("Port {port}, which Postgres is to use, is already taken: stop what uses it")),
        "{sentence}"
    );
}

/// The last of four ports whose other three are free, and stay so: they lie below those that the kernel hands out.
fn last_of_four() -> TcpListener {
    let handed_out = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap();
    let first: u16 = handed_out.split_whitespace().next().unwrap().parse().unwrap();
    (1024..first - 3)
        .rev()
        .find_map(|base| {
            let mut four = (base..base + 4).map(|port| TcpListener::bind(("127.0.0.1", port)).ok());
            let _free: [TcpListener; 3] = [four.next()??, four.next()??, four.next()??];
            four.next()?
        })
        .unwrap()
}

#[tokio::test]
async fn a_full_disk() {
    let data = tempfile::tempdir().unwrap();
    let mut config = support::config(data.path());
    config.min_free = u64::MAX;
    let sentence = fault(config).await;
    assert!(sentence.contains("MB free and at least"), "{sentence}");
}

#[tokio::test]
async fn an_engine_that_cannot_start() {
    let data = tempfile::tempdir().unwrap();
    fs::create_dir_all(data.path().join("postgres")).unwrap();
    fs::write(data.path().join("postgres/PG_VERSION"), "9\n").unwrap();
    let sentence = fault(support::config(data.path())).await;
    assert!(sentence.starts_with("The Postgres data was made by version 9, which is not installed"), "{sentence}");

    let data = tempfile::tempdir().unwrap();
    let mut config = support::config(data.path());
    config.kafka_properties = "log.segment.bytes=oops".into();
    let sentence = fault(config).await;
    assert!(sentence.starts_with("Kafka does not start: "), "{sentence}");
    assert!(sentence.contains("log.segment.bytes"), "{sentence}");
}

/// A copy of the real cache, with one jar changed, heals itself.
#[tokio::test]
async fn a_corrupted_cache_is_fetched_again() {
    let real = cache::default_folder().unwrap();
    let engines = cache::fetch_all(&real).unwrap();
    let jars = engines.kafka_jars[0].parent().unwrap();
    let copy = tempfile::tempdir_in(real.parent().unwrap()).unwrap();
    for folder in [jars, engines.libchdb.parent().unwrap()] {
        copy_by_link(folder, &copy.path().join(folder.file_name().unwrap()));
    }
    let victim = copy.path().join(jars.file_name().unwrap()).join(engines.kafka_jars[0].file_name().unwrap());
    fs::remove_file(&victim).unwrap();
    fs::write(&victim, "not a jar").unwrap();
    let cache_folder = copy.path().to_path_buf();
    tokio::task::spawn_blocking(move || cache::fetch_all(&cache_folder)).await.unwrap().unwrap();
    assert_eq!(fs::read(&victim).unwrap(), fs::read(&engines.kafka_jars[0]).unwrap());
}

fn copy_by_link(from: &std::path::Path, to: &std::path::Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::hard_link(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
