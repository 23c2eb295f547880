//! What prevents a start of `retrace up` is said in one sentence.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use super::mounted::Mounted;
use crate::harness::{Process, free_port};

const WITHIN: Duration = Duration::from_secs(30);

/// Runs `retrace up`, which must fail, and gives its sentence.
pub async fn refusal(args: &[&str], environment: &[(&str, &str)]) -> String {
    let output = tempfile::tempdir().unwrap();
    let args = [&["up", "--quick-jvm"], args].concat();
    let mut up = Process::start(output.path(), "up", &args, environment);
    let status = up.end(WITHIN).await;
    sentence(&up, status.code())
}

/// What a failed start says at last: one plain line, whatever it reported on the way.
pub fn sentence(process: &Process, code: Option<i32>) -> String {
    let (out, err) = (process.stdout(), process.stderr());
    assert_eq!(code, Some(1), "{out}{err}");
    assert!(out.is_empty(), "{out}");
    for word in ["panicked", "backtrace", "Stack", "   0:", ".rs:"] {
        assert!(!err.contains(word), "{err}");
    }
    let mut sentences = err.lines().filter(|line| line.starts_with("retrace: "));
    let sentence = sentences.next().unwrap_or_else(|| panic!("no sentence: {err}")).to_owned();
    assert_eq!((sentences.next(), err.trim_end().lines().last()), (None, Some(sentence.as_str())), "{err}");
    eprintln!("{sentence}");
    sentence
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_address_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let said = refusal(&["--listen", &listen, "--data", text(folder.path())], &[]).await;
    assert!(said.contains(&listen) && said.contains("--listen"), "{said}");
    let said = refusal(&["--listen", "nowhere", "--data", text(folder.path())], &[]).await;
    assert!(said.contains("nowhere") && said.contains("--listen"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_of_an_engine_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let base = loop {
        let ports: [u16; 4] = std::array::from_fn(|_| free_port());
        if ports.windows(2).all(|pair| pair[1] == pair[0] + 1) {
            break ports[0];
        }
    };
    // Any of the four.
    let _taken = TcpListener::bind(("127.0.0.1", base + 2)).unwrap();
    let listen = format!("127.0.0.1:{}", free_port());
    let args = ["--listen", &listen, "--data", text(folder.path()), "--port-base", &base.to_string()];
    let said = refusal(&args, &[]).await;
    let port = (base + 2).to_string();
    assert!(said.contains(&port) && said.contains("ClickHouse") && said.contains("--port-base"), "{said}");
    let args = ["--listen", &listen, "--data", text(folder.path()), "--port-base", "65534"];
    let said = refusal(&args, &[]).await;
    assert!(said.contains("65534") && said.contains("--port-base"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_folder_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let listen = format!("127.0.0.1:{}", free_port());
    let file = folder.path().join("file");
    fs::write(&file, "not a folder").unwrap();
    for data in [&file, &file.join("below")] {
        let said = refusal(&["--listen", &listen, "--data", text(data)], &[]).await;
        assert!(said.contains(text(data)) && said.contains("--data"), "{said}");
    }
    let locked = folder.path().join("locked");
    fs::create_dir(&locked).unwrap();
    // Permissions mean nothing to root, a mount does.
    let _mounted = Mounted::on(&locked, "ro,size=1m");
    let mut permissions = fs::metadata(&locked).unwrap().permissions();
    permissions.set_readonly(true);
    let _ = fs::set_permissions(&locked, permissions);
    if fs::write(locked.join("probe"), "").is_ok() {
        eprintln!("not run: no read-only folder can be made");
        return;
    }
    for data in [&locked, &locked.join("below")] {
        let said = refusal(&["--listen", &listen, "--data", text(data)], &[]).await;
        assert!(said.contains(text(data)) && said.contains("--data"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_that_is_none_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let listen = format!("127.0.0.1:{}", free_port());
    let args = ["--listen", &listen, "--data", text(folder.path())];
    let said = refusal(&args, &[("RETRACE_LISTN", "x")]).await;
    assert!(said.contains("RETRACE_LISTN"), "{said}");
    let said = refusal(&args, &[("RETRACE_FLUSH_ROWS", "many")]).await;
    assert!(said.contains("flush_rows") && said.contains("many"), "{said}");
    let config = folder.path().join("retrace.toml");
    fs::write(&config, "flush_row = 1").unwrap();
    let said = refusal(&[&args[..], &["--config", text(&config)]].concat(), &[]).await;
    assert!(said.contains(text(&config)) && said.contains("flush_row"), "{said}");
    // One service alone needs what `up` makes by itself.
    let mut ingest = Process::start(folder.path(), "ingest", &["ingest"], &[("RETRACE_LISTEN", &listen)]);
    let status = ingest.end(WITHIN).await;
    assert!(sentence(&ingest, status.code()).contains("`secret`"));
}
