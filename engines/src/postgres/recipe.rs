//! How the stack runs Postgres.

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use rustix::process::Signal;

use super::home::{Home, clear};
use super::wire;
use crate::cache::{PostgresPrograms, locate_postgres};
use crate::stack::recipe::{Engine, Launch, Recipe};
use crate::stack::secret;

const USER: &str = "retrace";
const DATABASE: &str = "retrace";

pub(crate) struct PostgresRecipe {
    programs: PostgresPrograms,
    folder: PathBuf,
    password: String,
    port: u16,
}

impl PostgresRecipe {
    /// `password_file` is made if it is not there.
    pub(crate) fn new(
        folder: PathBuf,
        cache: &Path,
        installed: &PostgresPrograms,
        password_file: &Path,
        port: u16,
    ) -> anyhow::Result<Self> {
        let programs = match made_by(&folder)? {
            Some(major) if major != installed.major => locate_postgres(cache, Some(major))?,
            _ => installed.clone(),
        };
        Ok(Self { programs, folder, password: secret::read_or_make(password_file)?, port })
    }

    /// For the client. The password is hexadecimal, so nothing needs escaping.
    pub(crate) fn url(&self) -> String {
        format!("postgres://{USER}:{}@127.0.0.1:{}/{DATABASE}", self.password, self.port)
    }

    fn initialise(&self) -> anyhow::Result<()> {
        let new = self.folder.with_extension("new");
        clear(&new).with_context(|| format!("{} cannot be removed; delete it and start again", new.display()))?;
        let home = Home::open(&new)?;
        let mut initdb = launch(&home, self.programs.bin.join("initdb")).command();
        initdb.arg("-D").arg(&home.path);
        initdb.args(["-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-instructions"]);
        finish(initdb, "")?;
        fs::write(new.join("pg_hba.conf"), "host all all 127.0.0.1/32 scram-sha-256\n")?;
        let sql = format!("ALTER USER {USER} PASSWORD '{}';\nCREATE DATABASE {DATABASE};\n", self.password);
        let mut single = launch(&home, self.programs.bin.join("postgres")).command();
        single.arg("--single").arg("-D").arg(&home.path).arg("postgres");
        finish(single, &sql)?;
        Ok(fs::rename(&new, &self.folder)?)
    }
}

/// The version whose data the folder holds.
fn made_by(folder: &Path) -> anyhow::Result<Option<u32>> {
    match fs::read_to_string(folder.join("PG_VERSION")) {
        Ok(version) => Ok(Some(version.trim().parse().context("Postgres's PG_VERSION file holds no version")?)),
        Err(_) => Ok(None),
    }
}

fn launch(home: &Home, program: PathBuf) -> Launch {
    let mut launch = Launch::new(program, Vec::new(), Signal::INT);
    launch.run_as = home.run_as;
    launch.inherit = home.inherited.clone();
    // Not SIGKILL: on SIGQUIT the server takes its own children with it at once.
    launch.when_parent_dies = Signal::QUIT;
    launch
}

fn finish(mut command: Command, input: &str) -> anyhow::Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("{program} cannot be started"))?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    // In single-user mode the status does not tell of failed statements.
    let fault =
        stderr.lines().find(|line| line.contains("ERROR:") || line.contains("FATAL:") || line.contains("error:"));
    match fault {
        Some(fault) => bail!("Postgres could not be set up: {fault}"),
        None if !output.status.success() => {
            bail!("Postgres could not be set up: {}", stderr.trim())
        }
        None => Ok(()),
    }
}

impl Recipe for PostgresRecipe {
    fn engine(&self) -> Engine {
        Engine::Postgres
    }

    fn prepare(&self) -> anyhow::Result<()> {
        if made_by(&self.folder)?.is_none() {
            self.initialise()?;
        }
        Ok(())
    }

    fn launch(&self) -> anyhow::Result<Launch> {
        let home = Home::open(&self.folder)?;
        let mut launch = launch(&home, self.programs.bin.join("postgres"));
        launch.arguments = vec!["-D".into(), home.path.into()];
        let settings = [
            format!("port={}", self.port),
            "listen_addresses=127.0.0.1".into(),
            "unix_socket_directories=".into(),
            "max_connections=100".into(),
            "shared_buffers=64MB".into(),
            "max_wal_size=512MB".into(),
            "jit=off".into(),
            "log_min_messages=warning".into(),
            "log_line_prefix=%m [%p] ".into(),
        ];
        launch.arguments.extend(settings.into_iter().flat_map(|setting| [OsString::from("-c"), setting.into()]));
        Ok(launch)
    }

    fn is_ready(&self) -> bool {
        wire::serves(self.port, USER, DATABASE)
    }
}
