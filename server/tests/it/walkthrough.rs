//! The README's `curl`s on the workspace, run as they are printed.

use std::path::Path;
use std::process::Stdio;

use serde_json::json;
use tokio::process::Command;

use crate::harness::Retrace;

/// The blocks of commands under a heading, each with the line before it.
fn blocks(heading: &str) -> Vec<(String, String)> {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")).unwrap();
    let section = readme.split_once(&format!("\n## {heading}\n")).unwrap().1.split("\n## ").next().unwrap();
    let parts: Vec<&str> = section.split("```").collect();
    let block = |pair: &[&str]| (pair[0].trim().lines().last().unwrap().to_owned(), pair[1].to_owned());
    parts.chunks_exact(2).map(block).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_resource_answers_the_commands_that_the_readme_prints() {
    let retrace = Retrace::start().await;
    // The one of "A first trace".
    let trace = json!({"id": "0b6c2f6e-8a0e-4a53-9d0e-3f6a5f1f7a01", "name": "hello"});
    retrace.client.post("/api/v1/traces", &trace).await.expect(201);
    let blocks = blocks("The workspace");
    assert!(!blocks.is_empty());
    for (title, commands) in blocks {
        assert_eq!(commands.matches("curl ").count(), 3, "{title}");
        let commands = commands
            .replace("http://localhost:3001", &retrace.client.base)
            .replace("curl ", "curl --silent --show-error --fail-with-body ");
        let output = Command::new("bash")
            .args(["-euo", "pipefail", "-c", &commands])
            .env("RETRACE_API_KEY", &retrace.client.key)
            .stdin(Stdio::null())
            .output()
            .await
            .unwrap();
        let (said, failed) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() && !said.contains("\"error\":"), "{title}\n{commands}\n{said}\n{failed}");
    }
    retrace.assert_exact().await;
}
