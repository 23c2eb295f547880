//! The published client in a virtual environment of its own, made once in the cache that checkouts share.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use tempfile::TempDir;
use tokio::sync::OnceCell;

const NAME: &str = "python-sdk-0.16.24";
const PINNED: &[&str] = &["retrace-sdk==0.16.24", "requests==2.34.2", "websocket-client==1.9.2", "openai==3.54.0"];
/// A script that has not ended by then never will.
const PATIENCE: Duration = Duration::from_secs(120);

/// The environment's interpreter.
async fn interpreter() -> &'static Path {
    static MADE: OnceCell<PathBuf> = OnceCell::const_new();
    MADE.get_or_init(|| async {
        let made = tokio::task::spawn_blocking(find_or_make).await.unwrap();
        made.unwrap_or_else(|fault| {
            panic!(
                "The client retrace-sdk 0.16.24 cannot be installed for this test: {fault}. The test needs python3 (3.10 or \
                 newer) with pip (Debian: apt-get install -y python3 python3-pip) and a package index that has {}",
                PINNED.join(", ")
            )
        })
    })
    .await
}

fn find_or_make() -> Result<PathBuf, String> {
    let cache = engines::cache::default_folder().map_err(|fault| fault.to_string())?;
    let told = |fault: std::io::Error| format!("the cache folder {} cannot be used ({fault})", cache.display());
    fs::create_dir_all(&cache).map_err(told)?;
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(cache.join(format!(".{NAME}.lock")))
        .map_err(told)?;
    flock(&lock, FlockOperation::LockExclusive).map_err(|fault| told(fault.into()))?;
    let folder = cache.join(NAME);
    let python = folder.join("bin/python");
    // A link: the machine's Python may have been replaced since.
    if !python.exists() {
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(told)?;
        }
        // The lock is held, so a folder of that name is what an interrupted run left.
        let partial = cache.join(format!(".{NAME}.partial"));
        if partial.exists() {
            fs::remove_dir_all(&partial).map_err(told)?;
        }
        make(&partial)?;
        fs::rename(&partial, &folder).map_err(told)?;
    }
    Ok(python)
}

/// Debian has Python without `ensurepip`: there the system's pip installs into the environment.
fn make(folder: &Path) -> Result<(), String> {
    let has_ensurepip = run(Command::new("python3").args(["-c", "import ensurepip"]), "python3").is_ok();
    let mut venv = Command::new("python3");
    venv.args(["-m", "venv"]).args((!has_ensurepip).then_some("--without-pip")).arg(folder);
    run(&mut venv, "python3 -m venv")?;
    let own = folder.join("bin/python");
    let mut pip = Command::new(if has_ensurepip { own.as_os_str() } else { "python3".as_ref() });
    pip.args(["-m", "pip"]);
    if !has_ensurepip {
        pip.arg("--python").arg(&own);
    }
    run(pip.args(["install", "--quiet", "--disable-pip-version-check", "--no-input"]).args(PINNED), "pip")
}

fn run(command: &mut Command, what: &str) -> Result<(), String> {
    let output = command.output().map_err(|fault| format!("{what} cannot be started ({fault})"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let line = said.lines().find(|line| line.contains("ERROR")).or_else(|| said.lines().last());
    Err(format!("{what} said: {}", line.unwrap_or("nothing").trim()))
}

/// Runs a driver script as a user's program that knows its server only by the environment, and gives what it printed.
pub async fn script(name: &str, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let home = TempDir::new().unwrap();
    let mut command = tokio::process::Command::new(interpreter().await);
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
    let Ok(ended) = tokio::time::timeout(PATIENCE, command.output()).await else {
        panic!("{name} did not end within {PATIENCE:?}");
    };
    let Output { status, stdout, stderr } = ended.unwrap();
    let (printed, said) = (String::from_utf8(stdout).unwrap(), String::from_utf8_lossy(&stderr));
    // The client reports what it could not deliver on stderr, and nothing else.
    assert!(status.success() && said.is_empty(), "{name} ended with {status}: {said}");
    printed
}
