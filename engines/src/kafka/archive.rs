//! The archive of Kafka's classes (AppCDS): a broker is started once, used a little and stopped, and the JVM keeps what
//! it loaded.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

use super::command::{HEAP_MB, Programs};
use super::recipe::cluster_id;
use super::{config, wire};
use crate::cache::Java;
use crate::stack::ports;

pub(crate) const FILE: &str = "kafka.jsa";
const PATIENCE: Duration = Duration::from_secs(90);

pub(crate) fn make(java: &Java, jars: &[PathBuf], folder: &Path) -> anyhow::Result<()> {
    let broker = folder.join("broker");
    let [port, controller] = ports::free()?;
    config::write(&broker, port, controller, "")?;
    let log_file = broker.join("kafka.log");
    let programs = Programs { java, jars, folder: &broker, log_file: &log_file };
    let mut format = quiet(java, programs.format(&cluster_id()?)).spawn()?;
    ensure!(format.wait()?.success(), "Kafka could not prepare a folder");

    let mut keep = OsString::from("-XX:ArchiveClassesAtExit=");
    keep.push(folder.join(FILE));
    let mut child = quiet(java, programs.broker(HEAP_MB, &[keep])).spawn()?;
    let served = use_and_stop(&mut child, port);
    if served.is_err() {
        let _ = child.kill();
    }
    child.wait()?;
    served?;
    fs::remove_dir_all(&broker)?;
    ensure!(folder.join(FILE).is_file(), "the JVM left no archive");
    Ok(())
}

fn quiet(java: &Java, arguments: Vec<OsString>) -> Command {
    let mut command = Command::new(&java.program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn use_and_stop(child: &mut Child, port: u16) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while !wire::serves(port) {
        ensure!(Instant::now() < deadline, "the broker was not ready within {} s", PATIENCE.as_secs());
        if let Some(status) = child.try_wait()? {
            bail!("the broker ended with {status}");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        kill_process(pid, Signal::TERM)?;
    }
    Ok(())
}
