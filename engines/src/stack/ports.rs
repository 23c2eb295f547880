//! Loopback ports.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use super::recipe::Engine;

/// A stack that was just killed lets go of its ports only when its children are gone.
const GRACE: Duration = Duration::from_secs(3);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ports {
    pub(crate) kafka: u16,
    pub(crate) kafka_controller: u16,
    pub(crate) clickhouse: u16,
    pub(crate) postgres: u16,
}

impl Ports {
    pub(crate) const COUNT: u16 = 4;

    /// Four ports from `base` on, if they are free; without a base, any four.
    pub(crate) fn choose(base: Option<u16>) -> anyhow::Result<Self> {
        let Some(base) = base else {
            let [kafka, kafka_controller, clickhouse, postgres] = free().context("The system gives no free ports")?;
            return Ok(Self { kafka, kafka_controller, clickhouse, postgres });
        };
        if base.checked_add(Self::COUNT - 1).is_none() || base < 1024 {
            bail!(
                "The port base {base} is impossible; choose one between 1024 and 65532 with --port-base or RETRACE_PORT_BASE"
            );
        }
        let ports = Self { kafka: base, kafka_controller: base + 1, clickhouse: base + 2, postgres: base + 3 };
        for (port, engine) in ports.all() {
            wait_until_free(port, engine)?;
        }
        Ok(ports)
    }

    fn all(self) -> [(u16, Engine); 4] {
        [
            (self.kafka, Engine::Kafka),
            (self.kafka_controller, Engine::Kafka),
            (self.clickhouse, Engine::ClickHouse),
            (self.postgres, Engine::Postgres),
        ]
    }

    /// The first that another process holds.
    pub(crate) fn taken(self) -> Option<(u16, Engine)> {
        self.all().into_iter().find(|(port, _)| is_taken(*port))
    }
}

pub(crate) fn taken_sentence(port: u16, engine: Engine) -> String {
    format!(
        "Port {port}, which {engine} is to use, is already taken: stop what uses it, or choose other ports with \
         --port-base or RETRACE_PORT_BASE"
    )
}

fn wait_until_free(port: u16, engine: Engine) -> anyhow::Result<()> {
    let deadline = Instant::now() + GRACE;
    while is_taken(port) {
        if Instant::now() > deadline {
            bail!(taken_sentence(port, engine));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

fn is_taken(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_err_and(|error| error.kind() == ErrorKind::AddrInUse)
}

/// Ports that are free now, and distinct.
pub(crate) fn free<const N: usize>() -> io::Result<[u16; N]> {
    let listeners = (0..N).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).collect::<io::Result<Vec<_>>>()?;
    let mut ports = [0; N];
    for (port, listener) in ports.iter_mut().zip(&listeners) {
        *port = listener.local_addr()?.port();
    }
    Ok(ports)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_named() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = Ports::choose(Some(port)).unwrap_err().to_string();
        assert!(error.starts_with(&format!("Port {port}, which Kafka is to use, is already taken")), "{error}");
        assert!(Ports::choose(Some(65_533)).unwrap_err().to_string().contains("is impossible"));
    }
}
