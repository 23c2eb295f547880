//! The published client's programs, each version in an environment of its own.

use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout};

use crate::harness::python::Python;

pub static V16: Python = Python::with(
    "python-sdk-0.16.24",
    &["retrace-sdk==0.16.24", "requests==2.34.2", "websocket-client==1.9.2", "openai==3.54.0"],
);
pub static V11: Python = Python::with(
    "python-sdk-0.11.6",
    &["retrace-sdk==0.11.6", "requests==2.34.2", "websocket-client==1.9.2", "openai==3.54.0"],
);

/// A script that has not ended by then never will.
const PATIENCE: Duration = Duration::from_secs(120);

/// Runs a driver script as a user's program that knows its server only by the environment, and gives what it printed.
pub async fn script(name: &str, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let home = TempDir::new().unwrap();
    let mut command = command(&V16, name, arguments, variables, &home).await;
    let Ok(ended) = tokio::time::timeout(PATIENCE, command.output()).await else {
        panic!("{name} did not end within {PATIENCE:?}");
    };
    let Output { status, stdout, stderr } = ended.unwrap();
    let (printed, said) = (String::from_utf8(stdout).unwrap(), String::from_utf8_lossy(&stderr));
    // The client reports what it could not deliver on stderr, and nothing else.
    assert!(status.success() && said.is_empty(), "{name} ended with {status}: {said}");
    printed
}

async fn command(
    sdk: &'static Python,
    name: &str,
    arguments: &[&str],
    variables: &[(&str, &str)],
    home: &TempDir,
) -> tokio::process::Command {
    let mut command = tokio::process::Command::new(sdk.interpreter().await);
    command
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/sdk").join(name))
        .args(arguments)
        .env_clear()
        .env("HOME", home.path())
        .env("NO_PROXY", "*")
        .env("PYTHONUTF8", "1")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("RETRACE_TRANSPORT", "http")
        .env("RETRACE_FLUSH_TIMEOUT", "60")
        .envs(variables.iter().copied())
        .kill_on_drop(true);
    command
}

/// A driver script that says where it is and waits to be told to go on.
pub struct Program {
    process: Child,
    printed: Lines<BufReader<ChildStdout>>,
    _home: TempDir,
}

impl Program {
    pub async fn start(sdk: &'static Python, name: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Program {
        let home = TempDir::new().unwrap();
        let mut command = command(sdk, name, arguments, variables, &home).await;
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let printed = BufReader::new(process.stdout.take().unwrap()).lines();
        Program { process, printed, _home: home }
    }

    /// The next line that it prints.
    pub async fn line(&mut self) -> String {
        match tokio::time::timeout(PATIENCE, self.printed.next_line()).await {
            Ok(Ok(Some(line))) => line,
            Ok(_) => panic!("the script ended: {}", self.said().await),
            Err(_) => panic!("the script says nothing"),
        }
    }

    pub async fn go_on(&mut self) {
        self.process.stdin.as_mut().unwrap().write_all(b"\n").await.unwrap();
    }

    /// Waits for its end; what it said on stderr.
    pub async fn end(mut self) -> String {
        let status =
            tokio::time::timeout(PATIENCE, self.process.wait()).await.expect("the script does not end").unwrap();
        let said = self.said().await;
        assert!(status.success(), "the script ended with {status}: {said}");
        said
    }

    async fn said(&mut self) -> String {
        let mut said = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut said).await.unwrap();
        said
    }
}
