//! How the stack runs the front.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::Signal;

use super::PASSWORD_VARIABLE;
use crate::stack::recipe::{Engine, Launch, Recipe};

const PATIENCE: Duration = Duration::from_secs(2);

pub(crate) struct ClickHouseRecipe {
    pub(crate) program: PathBuf,
    pub(crate) lib: PathBuf,
    pub(crate) folder: PathBuf,
    pub(crate) port: u16,
    pub(crate) memory: u64,
    pub(crate) password: String,
}

impl ClickHouseRecipe {
    fn ping(&self) -> io::Result<bool> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(b"GET /ping HTTP/1.0\r\n\r\n")?;
        let mut status = [0; 12];
        stream.read_exact(&mut status)?;
        Ok(status.ends_with(b" 200"))
    }
}

impl Recipe for ClickHouseRecipe {
    fn engine(&self) -> Engine {
        Engine::ClickHouse
    }

    fn prepare(&self) -> anyhow::Result<()> {
        Ok(())
    }

    fn launch(&self) -> anyhow::Result<Launch> {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port)).to_string();
        let arguments: Vec<OsString> = vec![
            "engine-clickhouse".into(),
            "--lib".into(),
            self.lib.clone().into(),
            "--data".into(),
            self.folder.clone().into(),
            "--listen".into(),
            listen.into(),
            "--memory".into(),
            self.memory.to_string().into(),
        ];
        let mut launch = Launch::new(self.program.clone(), arguments, Signal::TERM);
        launch.environment.push((PASSWORD_VARIABLE, self.password.clone()));
        Ok(launch)
    }

    fn is_ready(&self) -> bool {
        self.ping().unwrap_or(false)
    }

    /// Written at the end of every streamed insert; the library nests two thread records and notices it.
    fn is_noise(&self) -> fn(&str) -> bool {
        |line| line.contains("ThreadStatus: current_thread contains invalid address") || line.starts_with("Logging ")
    }
}
