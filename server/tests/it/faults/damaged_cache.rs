//! A damaged engine in the cache is fetched anew, and what is fetched is checked.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use axum::Router;
use axum::http::{Uri, header};
use axum::response::{IntoResponse, Response};
use engines::cache::CHDB_VERSION;
use serde_json::json;
use tokio::net::TcpListener;

use super::command_line::refusal;
use crate::harness::{engines, free_port};

const PACKAGE: &str = "@chdb/lib-linux-x64-gnu";

/// A registry whose package is not the one that was asked for.
async fn registry(package: Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let package = Arc::new(package);
    let answer = move |uri: Uri| async move {
        if uri.path().ends_with(".tgz") {
            return package.to_vec().into_response();
        }
        let dist = json!({"tarball": format!("http://{address}/package.tgz")});
        let version = json!({"name": PACKAGE, "version": CHDB_VERSION, "dist": dist});
        let document =
            json!({"name": PACKAGE, "dist-tags": {"latest": CHDB_VERSION}, "versions": {CHDB_VERSION: version}});
        ([(header::CONTENT_TYPE, "application/json")], document.to_string()).into_response() as Response
    };
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    address
}

/// An npm package of the right name with a library that is none.
fn package(folder: &Path) -> Vec<u8> {
    let content = folder.join("package");
    fs::create_dir(&content).unwrap();
    let manifest = json!({"name": PACKAGE, "version": CHDB_VERSION});
    fs::write(content.join("package.json"), manifest.to_string()).unwrap();
    fs::write(content.join("libchdb.so"), "not the library").unwrap();
    let archive = folder.join("package.tgz");
    let tar = Command::new("tar").arg("-czf").arg(&archive).arg("-C").arg(folder).arg("package").status().unwrap();
    assert!(tar.success());
    fs::read(archive).unwrap()
}

/// The same files under another name: linked, with their times.
fn link(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type().unwrap().is_dir() {
            link(&from, &to);
        } else if fs::hard_link(&from, &to).is_err() {
            fs::copy(&from, &to).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_engine_is_fetched_anew_and_a_wrong_one_is_refused() {
    // They fill the cache.
    engines().await;
    let (folder, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let whole = engines::cache::default_folder().unwrap();
    let slot = format!("chdb-{CHDB_VERSION}-linux-x64");
    if !whole.join(&slot).is_dir() {
        eprintln!("not run: ClickHouse's library does not come from the cache here");
        return;
    }
    let cache = folder.path().join("cache");
    fs::create_dir(&cache).unwrap();
    for entry in fs::read_dir(&whole).unwrap().flatten() {
        if entry.file_name().to_string_lossy().starts_with(['k', 'j', 'p']) && entry.file_type().unwrap().is_dir() {
            link(&entry.path(), &cache.join(entry.file_name()));
        }
    }
    // A download that was cut off.
    let damaged = cache.join(&slot);
    fs::create_dir(&damaged).unwrap();
    fs::copy(whole.join(&slot).join("retrace-manifest.json"), damaged.join("retrace-manifest.json")).unwrap();
    fs::write(damaged.join("libchdb.so"), "\x7fELF").unwrap();

    let registry = format!("http://{}/", registry(package(folder.path())).await);
    let listen = format!("127.0.0.1:{}", free_port());
    let args = ["--listen", &listen, "--data", data.path().to_str().unwrap()];
    let home = folder.path().to_str().unwrap();
    let environment = [
        ("RETRACE_CACHE", cache.to_str().unwrap()),
        ("HOME", home),
        ("npm_config_registry", &registry),
        ("npm_config_cache", home),
        ("npm_config_fetch_retries", "0"),
        ("npm_config_update_notifier", "false"),
    ];
    let said = refusal(&args, &environment).await;
    assert!(said.contains("ClickHouse") && said.contains("SHA-256") && said.contains(PACKAGE), "{said}");
    assert!(!cache.join(&slot).exists(), "what is damaged or wrong is not kept");

    // Without a network.
    let mut away = environment;
    away[2].1 = "http://127.0.0.1:1/";
    let said = refusal(&args, &away).await;
    assert!(said.contains("ClickHouse") && said.contains("check the network"), "{said}");
    assert!(!cache.join(&slot).exists());
}
