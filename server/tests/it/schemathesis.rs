//! Schemathesis makes requests from the OpenAPI document, well-formed and not, and holds the answers against it.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;
use tokio::process::Command;

use crate::harness::Retrace;
use crate::harness::dodo::Dodo;
use crate::harness::python::Python;
use crate::jwt::provider::{KEYS, Provider, claims, trust, with};

static SCHEMATHESIS: Python = Python::with("python-schemathesis-4.32.5", &["schemathesis==4.32.5"]);

/// Test cases an operation and phase; more where `RETRACE_TEST_EXAMPLES` says so.
const EXAMPLES: &str = "3";
const PATIENCE: Duration = Duration::from_secs(3_600);

#[tokio::test(flavor = "multi_thread")]
async fn finds_nothing() {
    let (provider, dodo) = (Provider::start().await, Dodo::start().await);
    let retrace = Retrace::with(|settings| {
        trust(settings, &provider, 3_600);
        crate::billing::sold(settings, &dodo.url);
    })
    .await;
    // A key could be revoked by one of the requests.
    let owner = json!({"org_role": "org:owner", "exp": 4_000_000_000_i64});
    let token = KEYS[0].token("k1", &with(claims("ann", Some("acme")), owner));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/schemathesis");
    let scratch = TempDir::new().unwrap();
    let examples = std::env::var("RETRACE_TEST_EXAMPLES").unwrap_or_else(|_| EXAMPLES.to_owned());
    let python = SCHEMATHESIS.interpreter().await;
    let mut command = Command::new(python);
    command
        .args(["-m", "schemathesis.cli", "--config-file"])
        .arg(folder.join("schemathesis.toml"))
        .args(["run", &format!("http://{}/api/v1/openapi.json", retrace.settings.listen)])
        .args(["--checks", "all", "--max-examples", &examples])
        .args(["--header", &format!("Authorization: Bearer {token}")])
        .env("SCHEMATHESIS_HOOKS", folder.join("hooks.py"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("NO_PROXY", "*")
        .current_dir(scratch.path())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let ended = tokio::time::timeout(PATIENCE, command.output()).await.expect("it ends").unwrap();
    let said = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success(), "{said}\n{}", String::from_utf8_lossy(&ended.stderr));
    retrace.assert_exact().await;
}
