//! Programs from the Python package index in virtual environments of their own, made once in the cache that checkouts share.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::{FlockOperation, flock};
use tokio::sync::OnceCell;

/// A virtual environment with pinned packages.
pub struct Python {
    name: &'static str,
    pinned: &'static [&'static str],
    made: OnceCell<PathBuf>,
}

impl Python {
    /// `name` is the environment's folder in the cache: another for other pins.
    pub const fn with(name: &'static str, pinned: &'static [&'static str]) -> Python {
        Python { name, pinned, made: OnceCell::const_new() }
    }

    /// The environment's interpreter; commands of its packages are modules: `-m`.
    pub async fn interpreter(&'static self) -> &'static Path {
        self.made
            .get_or_init(|| async {
                let made = tokio::task::spawn_blocking(|| self.find_or_make()).await.unwrap();
                made.unwrap_or_else(|fault| {
                    panic!(
                        "{} cannot be installed for this test: {fault}. The test needs python3 (3.10 or newer) with pip \
                         (Debian: apt-get install -y python3 python3-pip) and a package index that has {}",
                        self.name,
                        self.pinned.join(", ")
                    )
                })
            })
            .await
    }

    fn find_or_make(&self) -> Result<PathBuf, String> {
        let name = self.name;
        let cache = engines::cache::default_folder().map_err(|fault| fault.to_string())?;
        let told = |fault: std::io::Error| format!("the cache folder {} cannot be used ({fault})", cache.display());
        fs::create_dir_all(&cache).map_err(told)?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(cache.join(format!(".{name}.lock")))
            .map_err(told)?;
        flock(&lock, FlockOperation::LockExclusive).map_err(|fault| told(fault.into()))?;
        let folder = cache.join(name);
        let python = folder.join("bin/python");
        // A link: the machine's Python may have been replaced since.
        if !python.exists() {
            if folder.exists() {
                fs::remove_dir_all(&folder).map_err(told)?;
            }
            // The lock is held, so a folder of that name is what an interrupted run left.
            let partial = cache.join(format!(".{name}.partial"));
            if partial.exists() {
                fs::remove_dir_all(&partial).map_err(told)?;
            }
            make(&partial, self.pinned)?;
            fs::rename(&partial, &folder).map_err(told)?;
        }
        Ok(python)
    }
}

/// Debian has Python without `ensurepip`: there the system's pip installs into the environment.
fn make(folder: &Path, pinned: &[&str]) -> Result<(), String> {
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
    run(pip.args(["install", "--quiet", "--disable-pip-version-check", "--no-input"]).args(pinned), "pip")
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
