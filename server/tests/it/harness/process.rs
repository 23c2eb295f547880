//! `retrace` as a process of its own.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::LazyLock;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use runtime::Settings;
use rustix::process::{Pid, Signal, kill_process, set_parent_process_death_signal};

use super::binary;

/// What a child gets of this process's environment: not the `RETRACE_TEST_…`, which are no settings.
const PASSED_ON: [&str; 6] = ["PATH", "HOME", "JAVA_HOME", "XDG_CACHE_HOME", "RETRACE_CACHE", "RETRACE_LIBCHDB"];

type Spawning = (Command, Sender<io::Result<Child>>);

/// The kernel takes the end of the spawning thread for the parent's death: one that never ends spawns all.
static SPAWNER: LazyLock<Sender<Spawning>> = LazyLock::new(|| {
    let (spawner, asked) = channel::<Spawning>();
    std::thread::spawn(move || {
        for (mut command, reply) in asked {
            let _ = reply.send(command.spawn());
        }
    });
    spawner
});

/// For a process that is told everything by its arguments.
pub const NO_SETTINGS: &[(&str, &str)] = &[];

/// The settings of an installation, for its processes.
pub fn environment(settings: &Settings) -> Vec<(String, String)> {
    [
        ("kafka_brokers", settings.kafka_brokers.clone()),
        ("topic_prefix", settings.topic_prefix.clone()),
        ("consumer_group", settings.consumer_group.clone()),
        ("clickhouse_url", settings.clickhouse_url.clone()),
        ("clickhouse_user", settings.clickhouse_user.clone()),
        ("clickhouse_password", settings.clickhouse_password.clone()),
        ("clickhouse_database", settings.clickhouse_database.clone()),
        ("postgres_url", settings.postgres_url.clone()),
        ("postgres_connections", settings.postgres_connections.to_string()),
        ("secret", settings.secret.clone()),
        ("bootstrap_api_key", settings.bootstrap_api_key.clone()),
        ("rate_write_per_minute", settings.rate_write_per_minute.to_string()),
        ("rate_write_burst", settings.rate_write_burst.to_string()),
        ("rate_read_per_minute", settings.rate_read_per_minute.to_string()),
        ("rate_read_burst", settings.rate_read_burst.to_string()),
        ("freshness_wait_ms", settings.freshness_wait_ms.to_string()),
        ("erase_interval_ms", settings.erase_interval_ms.to_string()),
    ]
    .map(|(key, value)| (format!("RETRACE_{}", key.to_uppercase()), value))
    .into()
}

/// A child that ends with this process, or when it is dropped.
pub struct Process {
    child: Child,
    out: PathBuf,
    err: PathBuf,
}

impl Process {
    /// What it says goes to `<name>.out` and `<name>.err` in the folder, after what is there.
    pub fn start(
        folder: &Path,
        name: &str,
        args: &[&str],
        environment: &[(impl AsRef<OsStr>, impl AsRef<OsStr>)],
    ) -> Process {
        let (out, err) = (folder.join(format!("{name}.out")), folder.join(format!("{name}.err")));
        let file = |path: &Path| File::options().create(true).append(true).open(path).unwrap();
        let mut command = Command::new(binary());
        command.args(args).env_clear();
        command.envs(PASSED_ON.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        command.env("RUST_BACKTRACE", "1").envs(environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(file(&out)).stderr(file(&err));
        // SAFETY: one system call between fork and exec, which neither allocates nor locks.
        unsafe { command.pre_exec(|| Ok(set_parent_process_death_signal(Some(Signal::KILL))?)) };
        let (reply, spawned) = channel();
        SPAWNER.send((command, reply)).unwrap();
        Process { child: spawned.recv().unwrap().unwrap(), out, err }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn stdout(&self) -> String {
        fs::read_to_string(&self.out).unwrap()
    }

    pub fn stderr(&self) -> String {
        fs::read_to_string(&self.err).unwrap()
    }

    pub fn status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Does nothing to one that has ended, whose id may be another's by now.
    pub fn signal(&mut self, signal: Signal) {
        if self.status().is_none() {
            kill(self.pid(), signal);
        }
    }

    /// How it ended; it fails the test when it has not in time.
    pub async fn end(&mut self, within: Duration) -> ExitStatus {
        let deadline = Instant::now() + within;
        loop {
            if let Some(status) = self.status() {
                return status;
            }
            assert!(Instant::now() < deadline, "it still runs after {within:?}: {}{}", self.stdout(), self.stderr());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn kill(pid: u32, signal: Signal) {
    let _ = kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), signal);
}

/// A process as the kernel knows it; the time tells it from a later one of the same id.
#[derive(Clone, Debug, PartialEq)]
pub struct Running {
    pub pid: u32,
    pub name: String,
    parent: u32,
    started: String,
}

impl Running {
    fn read(pid: u32) -> Option<Running> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let (before, after) = text.rsplit_once(')')?;
        let fields: Vec<&str> = after.split_whitespace().collect();
        // A zombie runs no more.
        (fields[0] != "Z").then(|| Running {
            pid,
            name: before.split_once('(').map(|(_, name)| name.to_owned()).unwrap_or_default(),
            parent: fields[1].parse().unwrap(),
            started: fields[19].to_owned(),
        })
    }

    pub fn runs(&self) -> bool {
        Running::read(self.pid).is_some_and(|now| now.started == self.started)
    }
}

/// Children, their children, and so on.
pub fn descendants(of: u32) -> Vec<Running> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let all: Vec<Running> =
        entries.filter_map(|entry| Running::read(entry.file_name().to_str()?.parse().ok()?)).collect();
    let mut found: Vec<Running> = Vec::new();
    let mut parents = vec![of];
    while let Some(parent) = parents.pop() {
        let children: Vec<&Running> = all.iter().filter(|process| process.parent == parent).collect();
        parents.extend(children.iter().map(|child| child.pid));
        found.extend(children.into_iter().cloned());
    }
    found
}
